"""Statuses have one spelling, whatever version of dbt wrote them."""

import pytest

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.artifacts.statuses import normalize_status


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Pass", "pass"),
        ("ERROR", "error"),
        (" Warn ", "warn"),
        ("Runtime Error", "runtime error"),
        ("runtime_error", "runtime error"),
        ("RuntimeError", "runtime error"),
        ("partial success", "partial success"),
        ("PartialSuccess", "partial success"),
        ("noop", "no-op"),
        ("NoOp", "no-op"),
        ("no_op", "no-op"),
        ("Reused", "reused"),
        ("something new", "something new"),
        ("", ""),
    ],
)
def test_a_status_is_read_in_any_case_and_spelling(written, read):
    assert normalize_status(written) == read


@pytest.mark.parametrize("status", ["Error", "FAIL", "Partial_Success", "RuntimeError"])
def test_a_node_failed_whatever_the_case_of_its_status(status):
    assert NodeResult.parse({"unique_id": "model.shop.a", "status": status}).failed


@pytest.mark.parametrize(
    ("unique_id", "status", "saved"),
    [
        ("model.shop.a", "no-op", True),
        ("model.shop.a", "Reused", True),
        ("test.shop.a.0123456789", "reused", True),
        ("unit_test.shop.a.b", "noop", True),
        ("model.shop.a", "skipped", False),
        ("model.shop.a", "success", False),
        ("exposure.shop.a", "no-op", False),
        ("saved_query.shop.a", "no-op", False),
    ],
)
def test_dbt_state_saves_the_execution_of_nodes_that_dbt_executes(unique_id, status, saved):
    assert NodeResult.parse({"unique_id": unique_id, "status": status}).saved is saved
