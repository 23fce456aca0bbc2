"""Results and catalogs are made readable for the OpenLineage library, on copies."""

import copy
import logging

import pytest

from airflow_dbt_cloud.lineage.library_input import library_catalog, library_results
from dbtcloud.artifacts.schema import InvalidArtifact
from small_artifacts import catalog

LOG = logging.getLogger(__name__)
BEGAN, ENDED = "2026-02-03T04:05:06Z", "2026-02-03T04:05:07Z"


def told(**fields):
    """The one result with these fields, as it is told."""
    (each,) = library_results(
        {"results": [{"unique_id": "model.shop.a", "status": "success", **fields}]}, LOG
    )
    return each


def test_neither_results_nor_a_catalog_are_changed_by_being_told():
    results = {
        "results": [{"unique_id": "model.shop.a", "status": "partial success", "timing": [{}], "x": [1]}]
    }
    tables = catalog()
    tables["nodes"]["model.shop.orders"]["columns"]["id"]["type"] = None
    before = copy.deepcopy((results, tables))
    assert library_results(results, LOG)[0]["status"] == "error"
    library_catalog(tables, LOG)
    assert (results, tables) == before


def test_what_is_no_list_of_results_is_refused():
    with pytest.raises(InvalidArtifact, match="It has no list of results"):
        library_results({"results": {"a": 1}}, LOG)


def test_entries_that_are_no_nodes_of_the_library_are_passed_over():
    others = [None, 5, {}, {"unique_id": 5}, {"unique_id": "seed.shop.raw", "status": "success"}]
    assert library_results({"results": others}, LOG) == []


@pytest.mark.parametrize(
    ("timing", "times"),
    [
        ([{"name": "execute", "started_at": BEGAN, "completed_at": ENDED}], [(BEGAN, ENDED)]),
        ([{"name": "execute", "started_at": BEGAN, "completed_at": None}], [(BEGAN, BEGAN)]),
        ([{"name": "execute", "started_at": "soon", "completed_at": ENDED}], [(ENDED, ENDED)]),
        ([{"name": "execute"}, None, 5], []),
        (None, []),
    ],
)
def test_a_time_that_is_missing_is_the_other_one(timing, times):
    assert [(each["started_at"], each["completed_at"]) for each in told(timing=timing)["timing"]] == times


@pytest.mark.parametrize(
    ("response", "read"),
    [
        (None, {}),
        ("OK", {}),
        ({"rows_affected": None, "code": "INSERT"}, {"code": "INSERT"}),
        ({"rows_affected": 7, "bytes_processed": float("nan")}, {"rows_affected": 7}),
    ],
)
def test_counts_that_are_none_are_left_out(response, read):
    assert told(adapter_response=response)["adapter_response"] == read


def test_odd_tables_and_counts_of_a_catalog_are_left_out():
    stats = {"rows": {"value": 7}, "has_stats": {"value": True}, "a": None, "b": {"value": float("inf")}}
    tables = {"a": None, "b": {"columns": None}, "c": {"columns": {}, "stats": stats}, "d": {"columns": {}}}
    assert library_catalog({"nodes": tables, "sources": 5}, LOG) == {
        "nodes": {"c": {"columns": {}, "stats": {"rows": {"value": 7}}}, "d": {"columns": {}, "stats": {}}},
        "sources": {},
    }
