"""Events of a step with nodes, columns or statuses that the OpenLineage library cannot read."""

import pytest

from small_artifacts import catalog, manifest, run_results

ORDERS, LINES, TEST = "model.shop.orders", "model.shop.lines", "test.shop.unique_lines_id.1a"
NAME = {ORDERS: "shop.prod.shop.orders", LINES: "shop.prod.shop.lines"}
TABLES = (ORDERS, LINES)


def step(*results, which="run", **changed):
    """Return the artifacts of a step with these results of two models and a test of the second."""
    project = manifest()
    node = project["nodes"][ORDERS]
    project["nodes"][LINES] = {**node, "unique_id": LINES, "name": "lines", "alias": "lines"}
    of_lines = {"name": "unique_lines_id", "test_metadata": {"name": "unique", "kwargs": {}}, "config": {}}
    project["nodes"][TEST] = {**of_lines, "unique_id": TEST}
    project["parent_map"].update({LINES: [], TEST: [LINES]})
    results_artifact = {**run_results("first"), "args": {"which": which}, "results": list(results)}
    return {"steps/1/manifest.json": project, "steps/1/run_results.json": results_artifact, **changed}


def result(unique_id=ORDERS, status="success", **changed):
    (each,) = run_results("first", status)["results"]
    return {**each, "unique_id": unique_id, **changed}


def ends(events):
    """Return how the job of each node ended."""
    nodes = [event for event in events if "dbt_run" in event["run"]["facets"]]
    return {event["job"]["name"]: event["eventType"] for event in nodes if event["eventType"] != "START"}


def test_each_status_of_a_finished_node_is_emitted(build, shop, emitted):
    for status in ("success", "warn", "error", "partial success", "runtime error", "Success", "RuntimeError"):
        build(job_id=shop(step(result(status=status)), indexes=(0,)))
    nodes = [event["eventType"] for event in emitted() if event["job"]["name"] == NAME[ORDERS]]
    assert nodes[1::2] == ["COMPLETE", "COMPLETE", "FAIL", "FAIL", "FAIL", "COMPLETE", "FAIL"]
    assert nodes[::2] == ["START"] * 7


def test_nodes_that_did_not_run_are_counted_in_the_log(build, shop, emitted):
    idle = [result(LINES, status) for status in ("reused", "NoOp", "skipped", "Reused", "dreaming")]
    outcome = build(job_id=shop(step(*idle, result()), indexes=(0,)))
    assert ends(emitted()) == {NAME[ORDERS]: "COMPLETE"}
    assert "by status: 2 reused, 1 no-op, 1 skipped, 1 dreaming." in outcome.log


def test_a_test_that_did_not_run_is_not_emitted_as_failed(build, shop, emitted):
    build(job_id=shop(step(result(LINES, "error"), result(TEST, "skipped"), which="build"), indexes=(0,)))
    assert ends(emitted()) == {f"{NAME[LINES]}.build.run": "FAIL"}


@pytest.mark.parametrize(
    ("status", "end"), [("pass", "COMPLETE"), ("fail", "FAIL"), ("runtime error", "FAIL")]
)
def test_tests_are_emitted_with_their_outcome(build, shop, emitted, status, end):
    build(job_id=shop(step(result(TEST, status), which="test"), indexes=(0,)))
    assert ends(emitted()) == {f"{NAME[LINES]}.test": end}


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
def test_an_odd_node_costs_no_other_nodes_events(build, shop, emitted, odd):
    outcome = build(job_id=shop(step(result(), odd, result(LINES), which="build"), indexes=(0,)))
    assert outcome.state == "success"
    assert ends(emitted()).items() >= {f"{NAME[each]}.build.run": "COMPLETE" for each in TABLES}.items()


def test_an_odd_node_is_named_in_the_log_with_what_is_odd(build, shop, emitted):
    outcome = build(job_id=shop(step(result(), result("model.shop.unknown"), result(LINES)), indexes=(0,)))
    assert "No OpenLineage events of model.shop.unknown: KeyError('model.shop.unknown')" in outcome.log
    assert "nothing of step" not in outcome.log


def test_a_step_of_odd_nodes_only_is_logged_as_one_error(build, shop, emitted):
    strangers = [result(f"model.shop.stranger_{n}") for n in range(60)]
    outcome = build(job_id=shop(step(*strangers, result()), indexes=(0,)))
    assert ends(emitted()) == {}
    assert "No OpenLineage events of step 1" in outcome.log
    assert "The library refuses more than 50 of its nodes: KeyError('model.shop.stranger_" in outcome.log
    assert "No OpenLineage events of model" not in outcome.log


@pytest.mark.parametrize("column", [None, {"name": "id", "type": None}, {"name": None, "type": 5}, "text"])
def test_an_odd_column_of_the_catalog_loses_only_its_type(build, shop, emitted, column):
    tables = catalog()
    tables["nodes"][ORDERS]["columns"].update({"odd": column, "total": {"name": "total", "type": "DOUBLE"}})
    outcome = build(job_id=shop(step(result(), **{"steps/2/catalog.json": tables}), indexes=(0, 2)))
    (output,) = [event for event in emitted() if event["job"]["name"] == NAME[ORDERS]][-1]["outputs"]
    fields = [(each["name"], each["type"]) for each in output["facets"]["schema"]["fields"]]
    assert (fields[0], fields[2]) == (("id", "BIGINT"), ("total", "DOUBLE"))
    assert len(fields) == 3
    assert ("The OpenLineage events have no type for 1 columns" in outcome.log) == (fields[1][1] == "")
