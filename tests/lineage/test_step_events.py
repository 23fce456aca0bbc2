"""What OpenLineage is told of a step with nodes, columns or statuses that its library stumbles over."""

import pytest

from small_artifacts import catalog, manifest, run_results

ORDERS, LINES, TEST = "model.shop.orders", "model.shop.lines", "test.shop.unique_lines_id.1a"
NAME = {ORDERS: "shop.prod.shop.orders", LINES: "shop.prod.shop.lines"}
TABLES = (ORDERS, LINES)


def step(*results, which="run", **changed):
    """What a job leaves whose first step came to these results of two models and a test of the second."""
    project = manifest()
    node = project["nodes"][ORDERS]
    project["nodes"][LINES] = {**node, "unique_id": LINES, "name": "lines", "alias": "lines"}
    of_lines = {"name": "unique_lines_id", "test_metadata": {"name": "unique", "kwargs": {}}, "config": {}}
    project["nodes"][TEST] = {**of_lines, "unique_id": TEST}
    project["parent_map"].update({LINES: [], TEST: [LINES]})
    told = {**run_results("first"), "args": {"which": which}, "results": list(results)}
    return {"steps/1/manifest.json": project, "steps/1/run_results.json": told, **changed}


def result(unique_id=ORDERS, status="success", **changed):
    (each,) = run_results("first", status)["results"]
    return {**each, "unique_id": unique_id, **changed}


def ends(events):
    """How each node's job ended."""
    nodes = [event for event in events if "dbt_run" in event["run"]["facets"]]
    return {event["job"]["name"]: event["eventType"] for event in nodes if event["eventType"] != "START"}


def test_each_status_that_says_how_a_node_ended_is_told(build, shop, told):
    for status in ("success", "warn", "error", "partial success", "runtime error"):
        build(job_id=shop(step(result(status=status))))
    nodes = [event["eventType"] for event in told() if event["job"]["name"] == NAME[ORDERS]]
    assert nodes[1::2] == ["COMPLETE", "COMPLETE", "FAIL", "FAIL", "FAIL"]
    assert nodes[::2] == ["START"] * 5


def test_nodes_that_did_not_run_are_counted_in_the_log(build, shop, told):
    idle = [result(LINES, status) for status in ("reused", "no-op", "skipped", "reused", "dreaming")]
    outcome = build(job_id=shop(step(*idle, result())))
    assert ends(told()) == {NAME[ORDERS]: "COMPLETE"}
    assert "by status: 2 reused, 1 no-op, 1 skipped, 1 dreaming." in outcome.log


def test_a_test_that_did_not_run_is_no_failure(build, shop, told):
    build(job_id=shop(step(result(LINES, "error"), result(TEST, "skipped"), which="build")))
    assert ends(told()) == {f"{NAME[LINES]}.build.run": "FAIL"}


@pytest.mark.parametrize(
    ("status", "end"), [("pass", "COMPLETE"), ("fail", "FAIL"), ("runtime error", "FAIL")]
)
def test_tests_are_told_as_they_ended(build, shop, told, status, end):
    build(job_id=shop(step(result(TEST, status), which="test")))
    assert ends(told()) == {f"{NAME[LINES]}.test": end}


@pytest.mark.parametrize(
    "odd",
    [
        result("model.shop.unknown"),
        result(LINES, adapter_response={"query_id": 5, "rows_affected": 10**400, "bytes_processed": -1}),
        result("test.shop.unknown"),
        result(TEST, "pass", failures=[]),
        result("model."),
    ],
)
def test_an_odd_node_loses_no_other(build, shop, told, odd):
    outcome = build(job_id=shop(step(result(), odd, result(LINES), which="build")))
    assert outcome.state == "success"
    assert ends(told()).items() >= {f"{NAME[each]}.build.run": "COMPLETE" for each in TABLES}.items()


def test_an_odd_node_is_named_in_the_log_with_what_is_odd(build, shop, told):
    outcome = build(job_id=shop(step(result(), result("model.shop.unknown"), result(LINES))))
    assert "No OpenLineage events of model.shop.unknown: KeyError('model.shop.unknown')" in outcome.log
    assert "nothing of step" not in outcome.log


def test_a_step_of_odd_nodes_alone_is_told_as_one_fault(build, shop, told):
    strangers = [result(f"model.shop.stranger_{n}") for n in range(60)]
    outcome = build(job_id=shop(step(*strangers, result())))
    assert ends(told()) == {}
    assert "No OpenLineage events of step 1" in outcome.log
    assert "The library refuses more than 50 of its nodes: KeyError('model.shop.stranger_" in outcome.log
    assert "No OpenLineage events of model" not in outcome.log


@pytest.mark.parametrize("column", [None, {"name": "id", "type": None}, {"name": None, "type": 5}, "text"])
def test_an_odd_column_of_the_catalog_loses_its_type_alone(build, shop, told, column):
    tables = catalog()
    tables["nodes"][ORDERS]["columns"].update({"odd": column, "total": {"name": "total", "type": "DOUBLE"}})
    outcome = build(job_id=shop(step(result(), **{"steps/3/catalog.json": tables})))
    (output,) = [event for event in told() if event["job"]["name"] == NAME[ORDERS]][-1]["outputs"]
    fields = [(each["name"], each["type"]) for each in output["facets"]["schema"]["fields"]]
    assert (fields[0], fields[2]) == (("id", "BIGINT"), ("total", "DOUBLE"))
    assert len(fields) == 3
    assert ("The OpenLineage events have no type for 1 columns" in outcome.log) == (fields[1][1] == "")
