"""A run's report, as people and programs read it."""

import json

from airflow_dbt_cloud.artifacts.run_results import NodeResult
from airflow_dbt_cloud.client.models import Run
from airflow_dbt_cloud.report.rendering import (
    LONGEST_MESSAGE,
    MOST_ROWS,
    lines,
    summary,
    to_json,
    to_markdown,
)
from airflow_dbt_cloud.report.run_report import RunReport

RUN = Run.parse(
    {
        "id": 7,
        "status": 20,
        "href": "https://x/7/",
        "run_steps": [{"index": 4, "name": "Invoke dbt with `dbt build`", "status": 20, "logs": "boom"}],
    }
)
FINE = NodeResult("model.shop.customers", "success", 0.5, "OK", rows=3)
BROKEN = NodeResult("model.shop.orders", "error", 1.25, "Database Error\n  no such column | x")
SKIPPED = NodeResult("model.shop.sums", "skipped")
TEST = NodeResult("test.shop.unique_id.0a1b", "fail", 0.1, "Got 2 results", failures=2)


def test_failures_come_first_with_their_reason_on_one_line():
    shown = lines(RunReport(RUN, (FINE, SKIPPED, BROKEN, TEST)))
    table = [line.split() for line in shown if line.startswith("  ")]
    assert [row[:3] for row in table] == [
        ["error", "model", "orders"],
        ["fail", "test", "unique_id"],
        ["skipped", "model", "sums"],
        ["success", "model", "customers"],
    ]
    assert table[0][5:] == ["Database", "Error", "no", "such", "column", "|", "x"]
    assert "Nodes: 1 success, 1 skipped, 1 error, 1 fail." in shown


def test_a_failed_step_is_shown_by_its_log_where_no_node_failed():
    assert "  boom" in lines(RunReport(RUN))
    assert "  boom" not in lines(RunReport(RUN, (BROKEN,)))


def test_the_sentence_names_the_first_failures_and_counts_the_rest():
    report = RunReport(RUN, (*[BROKEN] * 5, FINE))
    assert summary(report).startswith("Failed: model orders: Database Error no such column | x; model orders")
    assert summary(report).endswith("and 2 more.")
    assert summary(RunReport(RUN)) == "It failed in: Invoke dbt with `dbt build`."
    assert summary(RunReport(Run.parse({"id": 7, "status": 10}), (FINE,))) == ""


def test_many_nodes_and_long_messages_are_cut():
    nodes = tuple(NodeResult(f"model.shop.m{n}", "error", message="x" * 5000) for n in range(MOST_ROWS + 9))
    shown = lines(RunReport(RUN, nodes))
    assert "  … and 9 more" in shown
    assert max(map(len, shown)) < LONGEST_MESSAGE + 80


def test_the_json_keeps_to_its_bound_and_says_what_it_left_out():
    nodes = tuple(NodeResult(f"model.shop.m{n}", "success", message="é" * 200) for n in range(2000))
    value = to_json(RunReport(RUN, (*nodes, BROKEN)))
    assert len(json.dumps(value)) <= 40_000
    assert value["nodes"][0]["unique_id"] == "model.shop.orders"
    assert value["left_out"] == 2001 - len(value["nodes"]) > 0


def test_a_small_report_leaves_nothing_out():
    value = to_json(RunReport(RUN, (BROKEN, TEST), ("a gap",)))
    assert (value["left_out"], value["totals"], value["gaps"]) == (0, {"error": 1, "fail": 1}, ["a gap"])
    assert value["nodes"][1]["failures"] == 2


def test_the_markdown_has_a_row_for_each_node_and_no_stray_bars():
    text = to_markdown(RunReport(RUN, (FINE, BROKEN)))
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 3
    assert all(row.count("|") == 5 for row in rows)
    assert "(https://x/7/)" in text
