"""The clock, and the two formats of instants and of durations."""

import pytest

from dbtcloud.local.model.clock import Clock, Duration, Timestamp


def test_the_clock_only_moves_forward(api):
    clock = Clock()
    before = clock.now()
    assert clock.advance(60) - before >= 60_000_000
    with pytest.raises(ValueError, match="can move forward by 0 to"):
        clock.advance(-1)
    assert api.ask("/_local/clock", "POST", json={"advance": -1}).status_code == 400
    assert api.ask("/_local/clock", "POST", json={"forward": 1}).status_code == 400


def test_the_clock_is_moved_over_http(api):
    first = api.ask("/_local/clock", "POST", json={"advance": 0}).json()["now"]
    assert api.ask("/_local/clock/", "POST", json={"advance": 500}).json()["now"] - first >= 500


def test_instants_have_six_decimals_even_when_they_are_zero():
    instant = 1_720_015_140_000_000
    assert Timestamp.spaced(instant) == "2024-07-03 13:59:00.000000+00:00"
    assert Timestamp.iso(instant) == "2024-07-03T13:59:00.000000+00:00"
    assert Timestamp.spaced(None) is Timestamp.iso(None) is None


@pytest.mark.parametrize(
    "text", ["2024-07-03T13:59:00", "2024-07-03 13:59:00.000000+00:00", "2024-07-03T15:59:00+02:00"]
)
def test_instants_are_read_with_and_without_an_offset(text):
    assert Timestamp.parse(text) == 1_720_015_140_000_000


def test_the_clock_is_read_over_http(api):
    before = api.control.now()
    now = api.ask("/_local/clock").json()["now"]
    assert before <= now <= api.control.now()


def test_listeners_are_called_when_the_clock_moves():
    clock, called = Clock(), []
    clock.listeners.append(lambda: called.append(clock.now()))
    moved = clock.advance(60)
    assert len(called) == 1
    assert moved - called[0] < 1_000_000


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
    assert (Duration(seconds * 1_000_000).clock(), Duration(seconds * 1_000_000).humanised()) == (
        clock,
        words,
    )
