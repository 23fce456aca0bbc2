"""Whether a run that failed counts as a success is decided by its failed nodes."""

import pytest

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run
from dbtcloud.report.run_report import RunReport
from dbtcloud.report.success_criteria import SuccessCriteria

STATUSES = {
    "model.shop.customers": "success",
    "model.shop.orders": "error",
    "model.shop.sums": "skipped",
    "test.shop.unique_id.0123456789": "fail",
}
TAGS = {"model.shop.orders": frozenset({"wip"}), "model.shop.customers": frozenset({"core"})}


def report(statuses=STATUSES, steps=(("dbt deps", 10), ("dbt build", 20)), status=20, gaps=(), step=2):
    rows = [
        {"index": index, "name": f"Invoke dbt with `{command}`", "status": code}
        for index, (command, code) in enumerate(steps, start=1)
    ]
    run = Run.parse({"id": 7, "status": status, "run_steps": rows})
    nodes = tuple(NodeResult(unique_id, code) for unique_id, code in statuses.items())
    return RunReport(run, nodes, gaps, dict.fromkeys(statuses, step))


@pytest.mark.parametrize(
    ("fail_on", "ignore", "succeeded"),
    [
        ([], ["orders", "unique_id"], True),
        ([], ["model.shop.orders", "test.shop.unique_id.0123456789"], True),
        ([], ["tag:wip", "unique_id"], True),
        ([], ["orders"], False),
        ([], ["tag:core"], False),
        (["customers"], [], True),
        (["tag:core"], [], True),
        (["customers", "orders"], [], False),
        (["tag:wip"], [], False),
        (["customers", "orders"], ["tag:wip"], True),
        (["unique_id"], ["orders"], False),
        (["sums"], [], False),
        (["sums"], ["sums"], True),
        ([], ["Orders", "unique_id"], False),
    ],
)
def test_only_failed_nodes_that_count_make_a_failure(fail_on, ignore, succeeded):
    decision = SuccessCriteria(fail_on, ignore).decide(report(), lambda: TAGS)
    assert decision.succeeded is succeeded
    assert decision.reason.startswith("It counts as a success" if succeeded else "Not ignored: ")


def test_the_reason_names_the_nodes():
    assert (
        SuccessCriteria(ignore=["orders"]).decide(report(), dict).reason
        == "Not ignored: test unique_id (fail)."
    )
    assert SuccessCriteria(["customers"]).decide(report(), dict).reason == (
        "It counts as a success, because these failures do not count: model orders (error), "
        "test unique_id (fail). dbt Cloud has executed no command after step 2, which failed."
    )
    many = report({f"model.shop.m{n}": "error" for n in range(12)})
    assert SuccessCriteria(ignore=["x"]).decide(many, dict).reason.endswith("model m9 (error), 2 more.")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (report(status=30), "the run ended with status Cancelled"),
        (report(status=10), "the run ended with status Success"),
        (report(gaps=("The results of step 2 cannot be read: 500.",)), "not all results can be read"),
        (report({}), "step 2, Invoke dbt with `dbt build`, failed for another reason than a node"),
        (report(step=1), "step 2, Invoke dbt with `dbt build`, failed for another reason than a node"),
        (report({"model.shop.orders": "success"}), "failed for another reason than a node"),
        (report(steps=()), "no step of the run has failed"),
    ],
    ids=["cancelled", "succeeded", "gap", "no results", "other step", "no failed node", "no step"],
)
def test_what_cannot_be_decided_is_a_failure_and_says_why(found, said):
    decision = SuccessCriteria(ignore=[*STATUSES]).decide(found, lambda: TAGS)
    assert not decision.succeeded
    assert decision.reason.startswith("fail_on and ignore cannot be applied: ")
    assert said in decision.reason


@pytest.mark.parametrize("item", ["ordrs", "tag:nightly", "model.shop.sum"])
def test_a_node_to_fail_on_without_a_result_is_a_failure_for_it_may_not_have_been_executed(item):
    decision = SuccessCriteria(["customers", item]).decide(report(), lambda: TAGS)
    assert not decision.succeeded
    assert f"the run has no result for {item}" in decision.reason
    assert SuccessCriteria(ignore=["orders", "unique_id", item]).decide(report(), lambda: TAGS).succeeded


def test_a_tolerated_step_does_not_count():
    steps = (("dbt source freshness", 20), ("dbt build", 20))
    assert SuccessCriteria(["customers"]).decide(report(steps=steps), dict).succeeded


@pytest.mark.parametrize(
    "item", ["", "tag:", "orders+", "+orders", "path:models", "a b", "stg_*", "a,b", "@a"]
)
@pytest.mark.parametrize("name", ["fail_on", "ignore"])
def test_what_is_no_name_no_id_and_no_tag_is_refused(name, item):
    with pytest.raises(ValueError, match=rf"{name} has '.*', which is no node"):
        SuccessCriteria(**{name: [item]})


@pytest.mark.parametrize(
    ("criteria", "found", "read"),
    [
        ({"ignore": ["tag:x"]}, report(), 1),
        ({"fail_on": ["orders"]}, report(), 0),
        ({"ignore": ["tag:x"]}, report({}), 0),
    ],
)
def test_tags_are_read_only_where_they_decide(criteria, found, read):
    calls = []
    SuccessCriteria(**criteria).decide(found, lambda: calls.append("read") or {})
    assert len(calls) == read
