"""Batches are ranges of time in UTC."""

import io
import json
from datetime import UTC, datetime

import pytest

from dbtcloud.artifacts.batches import Batch, Microbatch
from dbtcloud.artifacts.json_values import Fields
from dbtcloud.artifacts.run_results import read_run_results


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


def day(number):
    return Batch(at(2026, 11, number), at(2026, 11, number + 1))


def test_the_batches_of_a_result_are_read_whatever_the_notation_of_their_times():
    batches = {
        "successful": [["2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"]],
        "failed": [
            ["2026-11-21T00:00:00+00:00", "2026-11-22T00:00:00+00:00"],
            ["2026-11-22T01:00:00+01:00", "2026-11-23T00:00:00"],
        ],
    }
    document = {"results": [{"unique_id": "model.shop.daily", "batch_results": batches}]}
    (found,) = read_run_results(io.BytesIO(json.dumps(document).encode()))
    assert (found.successful_batches, found.failed_batches) == ((day(20),), (day(21), day(22)))


@pytest.mark.parametrize(
    "odd",
    [
        None,
        {},
        "x",
        [None, "ab", [], ["2026-11-20"], ["soon", "later"], ["2026-11-21", "2026-11-20"], [1, 2]],
    ],
)
def test_what_is_no_range_is_left_out(odd):
    assert Batch.parse_list(odd) == ()


def test_ranges_that_touch_become_one():
    assert Batch.merge([day(24), day(21), day(20), day(21)]) == [
        Batch(at(2026, 11, 20), at(2026, 11, 22)),
        day(24),
    ]
    assert Batch.hull([day(24), day(20)]) == Batch(at(2026, 11, 20), at(2026, 11, 25))


def test_a_range_is_shown_by_its_dates_and_with_hours_where_they_matter():
    assert str(day(20)) == "2026-11-20 to 2026-11-21"
    assert str(Batch(at(2026, 11, 20, 5), at(2026, 11, 21))) == "2026-11-20 05:00:00 to 2026-11-21"


@pytest.mark.parametrize(
    ("size", "lookback", "moment", "start", "end"),
    [
        ("hour", 1, at(2026, 1, 1, 0, 30), at(2025, 12, 31, 23), at(2026, 1, 1, 1)),
        ("day", 0, at(2026, 2, 28, 9), at(2026, 2, 28), at(2026, 3, 1)),
        ("day", 3, at(2024, 10, 1, 9), at(2024, 9, 28), at(2024, 10, 2)),
        ("month", 2, at(2026, 1, 31), at(2025, 11, 1), at(2026, 2, 1)),
        ("year", 1, at(2024, 6, 1), at(2023, 1, 1), at(2025, 1, 1)),
    ],
)
def test_a_run_builds_the_latest_batch_and_those_of_the_lookback(size, lookback, moment, start, end):
    """As dbt documents it: with a lookback of 3, a run on October 1 begins on September 28."""
    assert Microbatch(size, lookback).window(moment) == Batch(start, end)


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"incremental_strategy": "microbatch", "batch_size": "day"}, Microbatch("day")),
        (
            {"incremental_strategy": "Microbatch", "batch_size": "HOUR", "lookback": 0, "full_refresh": True},
            Microbatch("hour", 0, full_refresh=True),
        ),
        ({"incremental_strategy": "merge", "batch_size": "day"}, None),
        ({"incremental_strategy": "microbatch", "batch_size": "week"}, None),
        ({}, None),
    ],
)
def test_a_microbatch_model_is_known_by_its_strategy(config, found):
    assert Microbatch.parse(Fields(config)) == found
