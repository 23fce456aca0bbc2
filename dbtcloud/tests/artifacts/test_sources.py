"""How fresh sources were when dbt looked."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from dbtcloud.artifacts.freshness import Freshness
from dbtcloud.artifacts.schema import InvalidArtifact
from dbtcloud.artifacts.sources import SourceFreshness, read_sources

LOOKED = {
    "unique_id": "source.shop.raw.orders",
    "max_loaded_at": "2026-02-03T04:00:00Z",
    "snapshotted_at": "2026-02-03T05:00:00.5Z",
    "max_loaded_at_time_ago_in_s": 3600.5,
    "status": "warn",
    "criteria": {
        "warn_after": {"count": 30, "period": "minute"},
        "error_after": {"count": 1, "period": "day"},
        "filter": None,
    },
    "adapter_response": {},
    "timing": [],
}
FAULTY = {"unique_id": "source.shop.raw.lines", "error": "no such table", "status": "runtime error"}


def read(value):
    return read_sources(io.BytesIO(json.dumps(value).encode()))


def test_each_source_is_read_with_its_age_and_its_limits():
    metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/sources/v3.json"}
    fresh, faulty = read({"metadata": metadata, "results": [LOOKED, None, FAULTY, {}], "elapsed_time": 1})
    assert fresh == SourceFreshness(
        "source.shop.raw.orders",
        "warn",
        loaded_at=datetime(2026, 2, 3, 4, tzinfo=UTC),
        checked_at=datetime(2026, 2, 3, 5, 0, 0, 500_000, tzinfo=UTC),
        age=3600.5,
        criteria=Freshness(warn_after=timedelta(minutes=30), error_after=timedelta(days=1)),
    )
    assert (fresh.stale, faulty.stale, faulty.error, faulty.age) == (False, True, "no such table", None)


@pytest.mark.parametrize(
    ("status", "read_as", "stale"),
    [("Pass", "pass", False), ("Warn", "warn", False), ("Error", "error", True)],
)
def test_statuses_of_dbt_2_are_read_in_any_case(status, read_as, stale):
    (found,) = read({"results": [{**LOOKED, "status": status}]})
    assert (found.status, found.stale) == (read_as, stale)


def test_the_freshness_of_models_is_read_from_freshness_json():
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/freshness/v0.json",
        "dbt_version": "2.0.4",
    }
    model = {**LOOKED, "unique_id": "model.shop.orders", "resource_type": "model", "status": "Error"}
    (found,) = read({"metadata": metadata, "results": [model]})
    assert (found.unique_id, found.stale, found.age) == ("model.shop.orders", True, 3600.5)


def test_what_is_no_sources_file_is_refused():
    with pytest.raises(InvalidArtifact, match=r"This is not a valid sources\.json"):
        read({"nodes": {}})
