"""Durations in dbt Cloud's words."""

import pytest

from dbtcloud.local.model.durations import clock_duration, humanise_duration


@pytest.mark.parametrize(
    ("seconds", "clock", "words"),
    [
        (0, "00:00:00", "0 minutes"),
        (1, "00:00:01", "1 second"),
        (51, "00:00:51", "51 seconds"),
        (110, "00:01:50", "1 minute, 50 seconds"),
        (3_600, "01:00:00", "1 hour"),
        (86_400 + 7_200, "26:00:00", "1 day, 2 hours"),
        (15 * 86_400, "360:00:00", "2 weeks, 1 day"),
        (-5, "00:00:00", "0 minutes"),
    ],
)
def test_a_duration_has_the_format_of_published_responses(seconds, clock, words):
    assert (clock_duration(seconds * 1_000_000), humanise_duration(seconds * 1_000_000)) == (clock, words)
