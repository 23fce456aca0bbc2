"""Results and catalogs are copied into a form that the OpenLineage library can read."""

import copy
import logging

import pytest

from airflow_dbt_cloud.lineage.step_artifacts import StepArtifacts, library_catalog
from dbtcloud.artifacts.schema import InvalidArtifact
from dbtcloud.client.models import Step
from small_artifacts import catalog

LOG = logging.getLogger(__name__)
BEGAN, ENDED = "2026-02-03T04:05:06Z", "2026-02-03T04:05:07Z"


def library_results(run_results):
    """Return the results of a step as the library gets them."""
    step = Step(1, "Invoke dbt with `dbt build`", 10)
    return StepArtifacts(step, manifest={}, run_results=run_results, catalog=None).library_results(LOG)


def readable_result(**fields):
    """Return a result with these fields as the library gets it."""
    (each,) = library_results({"results": [{"unique_id": "model.shop.a", "status": "success", **fields}]})
    return each


def test_results_and_catalog_are_not_modified():
    results = {
        "results": [{"unique_id": "model.shop.a", "status": "partial success", "timing": [{}], "x": [1]}]
    }
    tables = catalog()
    tables["nodes"]["model.shop.orders"]["columns"]["id"]["type"] = None
    before = copy.deepcopy((results, tables))
    assert library_results(results)[0]["status"] == "error"
    library_catalog(tables, LOG)
    assert (results, tables) == before


def test_results_that_are_no_list_are_refused():
    with pytest.raises(InvalidArtifact, match="It has no list of results"):
        library_results({"results": {"a": 1}})


def test_entries_that_the_library_makes_no_events_of_are_left_out():
    others = [None, 5, {}, {"unique_id": 5}, {"unique_id": "seed.shop.raw", "status": "success"}]
    assert library_results({"results": others}) == []


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
def test_a_missing_time_is_replaced_by_the_other_one(timing, times):
    assert [
        (each["started_at"], each["completed_at"]) for each in readable_result(timing=timing)["timing"]
    ] == times


@pytest.mark.parametrize(
    ("response", "read"),
    [
        (None, {}),
        ("OK", {}),
        ({"rows_affected": None, "code": "INSERT"}, {"code": "INSERT"}),
        ({"rows_affected": 7, "bytes_processed": float("nan")}, {"rows_affected": 7}),
    ],
)
def test_counts_that_are_no_numbers_are_left_out(response, read):
    assert readable_result(adapter_response=response)["adapter_response"] == read


def test_odd_tables_and_counts_of_a_catalog_are_left_out():
    stats = {"rows": {"value": 7}, "has_stats": {"value": True}, "a": None, "b": {"value": float("inf")}}
    tables = {"a": None, "b": {"columns": None}, "c": {"columns": {}, "stats": stats}, "d": {"columns": {}}}
    assert library_catalog({"nodes": tables, "sources": 5}, LOG) == {
        "nodes": {"c": {"columns": {}, "stats": {"rows": {"value": 7}}}, "d": {"columns": {}, "stats": {}}},
        "sources": {},
    }
