"""A run's report, as people and programs read it."""

import json
from dataclasses import replace

import pytest

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run
from dbtcloud.report.run_report import RunReport

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
    shown = RunReport(RUN, (FINE, SKIPPED, BROKEN, TEST)).log_lines()
    table = [line.split() for line in shown if line.startswith("  ")]
    assert [row[:3] for row in table] == [
        ["error", "model", "orders"],
        ["fail", "test", "unique_id"],
        ["skipped", "model", "sums"],
        ["success", "model", "customers"],
    ]
    assert table[0][5:] == ["Database", "Error", "no", "such", "column", "|", "x"]
    assert "Nodes: 1 success, 1 skipped, 1 error, 1 fail." in shown


def test_what_a_retry_would_execute_is_told():
    report = RunReport(RUN, (FINE, SKIPPED, BROKEN, TEST))
    assert "A retry from failure would execute 3 nodes." in report.log_lines()
    assert report.to_json()["left_to_do"] == 3
    hook = NodeResult("operation.shop.shop-on-run-end-0", "error")
    assert "A retry from failure would execute 1 node." in RunReport(RUN, (hook, BROKEN)).log_lines()
    cancelled = RunReport(Run.parse({"id": 7, "status": 30}), (SKIPPED,))
    assert (cancelled.left_to_do, cancelled.to_json()["left_to_do"]) == ((), 0)


def test_a_failed_step_is_shown_by_its_log_where_no_node_failed():
    assert "  boom" in RunReport(RUN).log_lines()
    assert "  boom" not in RunReport(RUN, (BROKEN,)).log_lines()


def test_a_macro_is_not_left_to_do_for_a_retry_repeats_its_whole_command():
    macro = NodeResult("macro.shop.publish", "error", message="Compilation Error in macro publish")
    report = RunReport(RUN, (macro,))
    assert (report.left_to_do, report.to_json()["left_to_do"]) == ((), 0)
    assert report.failure_summary() == "Failed: macro publish: Compilation Error in macro publish."


@pytest.mark.parametrize("message", ["", "ERROR", "error", "Fail", "PARTIAL SUCCESS (1/4)", "None"])
def test_a_failed_node_whose_message_says_nothing_is_shown_with_the_log_of_its_step(message):
    report = RunReport(RUN, (FINE, NodeResult("model.shop.daily", "error", message=message)))
    assert report.failure_summary() == (
        f"Failed: model daily: {message or 'error'}. A retry from failure would execute 1 node. "
        "Failed in: Invoke dbt with `dbt build`. End of its log: boom"
    )
    assert "  boom" in report.log_lines()
    assert report.to_json()["log_tail"] == ["boom"]
    assert "boom" in report.to_markdown()


def test_a_successful_run_has_no_failed_steps():
    step = {"index": 1, "name": "Invoke dbt with `dbt source freshness`", "status": 20, "logs": "stale"}
    report = RunReport(Run.parse({"id": 7, "status": 10, "run_steps": [step]}), (FINE,))
    assert (report.failed_steps, report.log_tail, report.failure_summary()) == ((), (), "")
    assert "stale" not in "".join(report.log_lines())


def test_the_sentence_names_the_first_failures_and_counts_the_rest():
    report = RunReport(RUN, (*[BROKEN] * 5, FINE))
    assert report.failure_summary().startswith(
        "Failed: model orders: Database Error no such column | x; model orders"
    )
    assert report.failure_summary().endswith("and 2 more. A retry from failure would execute 5 nodes.")
    assert RunReport(RUN).failure_summary() == "Failed in: Invoke dbt with `dbt build`. End of its log: boom"
    assert RunReport(Run.parse({"id": 7, "status": 10}), (FINE,)).failure_summary() == ""


def test_many_nodes_and_long_messages_are_cut():
    nodes = tuple(NodeResult(f"model.shop.m{n}", "error", message="x" * 5000) for n in range(50 + 9))
    shown = RunReport(RUN, nodes).log_lines()
    assert "  … and 9 more" in shown
    assert max(map(len, shown)) < 300 + 80


def test_names_without_an_end_leave_room_for_the_reason():
    name = "x" * 1_000_000
    nodes = [NodeResult(f"model.shop.{name}", "error", message="It broke", compiled_path=name)] * 10
    report = RunReport(RUN, nodes)
    assert len(report.failure_summary()) < 8_000
    assert report.failure_summary().count("It broke") >= 3
    assert max(map(len, report.log_lines())) < 2_000
    step = {"index": 4, "name": name, "status": 20, "logs": "boom"}
    unexplained = RunReport(Run.parse({"id": 7, "status": 20, "run_steps": [step] * 50}))
    assert len(unexplained.failure_summary()) < 8_000
    assert "boom" in unexplained.failure_summary()


def test_the_json_keeps_to_its_bound_and_says_what_it_left_out():
    nodes = tuple(NodeResult(f"model.shop.m{n}", "success", message="é" * 200) for n in range(2000))
    value = RunReport(RUN, (*nodes, BROKEN)).to_json()
    assert len(json.dumps(value)) <= 40_000
    assert value["nodes"][0]["unique_id"] == "model.shop.orders"
    assert value["left_out"] == 2001 - len(value["nodes"]) > 0


def bytes_of(value):
    return len(json.dumps(value).encode())


@pytest.mark.parametrize("text", ["x", "é", "€", "😀"])
def test_a_report_of_40_000_bytes_is_kept_whole_and_one_of_a_byte_more_is_shortened(text):
    nodes = (BROKEN, *(NodeResult(f"model.shop.m{n}", "success", message=text * 100) for n in range(25)))

    def report(padding):
        return RunReport(RUN, (*nodes, NodeResult("model.shop." + "z" * padding, "success")))

    padding = 40_000 - bytes_of(report(0).to_json(max_bytes=1_000_000))
    whole = report(padding).to_json()
    assert (bytes_of(whole), whole["left_out"], whole["left_out_by_status"]) == (40_000, 0, {})
    shortened = report(padding + 1).to_json()
    assert (shortened["left_out"], shortened["left_out_by_status"]) == (1, {"success": 1})
    assert shortened["nodes"] == whole["nodes"][:-1]


def test_no_more_nodes_are_left_out_than_the_limit_asks_for():
    report = RunReport(RUN, tuple(NodeResult(f"model.shop.m{n}", "success") for n in range(200)))
    for limit in range(3_000, 3_200):
        value = report.to_json(max_bytes=limit)
        kept = len(value["nodes"])
        counts = {"left_out": 199 - kept, "left_out_by_status": {"success": 199 - kept}}
        one_more = {**value, "nodes": report.to_json(max_bytes=1_000_000)["nodes"][: kept + 1], **counts}
        assert bytes_of(value) <= limit < bytes_of(one_more)


def test_the_lists_beside_the_nodes_keep_their_end_within_8_000_bytes():
    gaps = tuple(f"{n:03}" + "é" * 50 for n in range(100))
    kept = RunReport(RUN, (FINE,), gaps).to_json()["gaps"]
    assert kept == list(gaps[-len(kept) :])
    assert bytes_of(kept) <= 8_000 < bytes_of([*kept, kept[0]])


def test_a_small_report_leaves_nothing_out():
    value = RunReport(RUN, (BROKEN, TEST), ("a gap",)).to_json()
    assert (value["left_out"], value["totals"], value["gaps"]) == (0, {"error": 1, "fail": 1}, ["a gap"])
    assert value["nodes"][1]["failures"] == 2


def test_the_markdown_has_a_row_for_each_node_and_no_stray_bars():
    text = RunReport(RUN, (FINE, BROKEN)).to_markdown()
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 3
    assert all(row.count("|") == 7 for row in rows)
    assert "(https://x/7/)" in text


def test_the_markdown_of_a_run_without_nodes_holds_the_end_of_the_log():
    assert "````text\nboom\n````" in RunReport(RUN).to_markdown()


STATUSES = ["success", "pass", "warn", "no-op", "reused", "partial success", "skipped", "fail", "error"]


def test_each_of_dbts_statuses_is_itself_and_the_table_stays_aligned():
    nodes = tuple(
        NodeResult(f"model.shop.m{n}", status, message="Said so") for n, status in enumerate(STATUSES)
    )
    report = RunReport(RUN, nodes)
    assert report.totals == dict.fromkeys(STATUSES, 1)
    table = [line for line in report.log_lines() if line.startswith("  ")]
    assert {line.index(" model m") for line in table} == {table[0].index(" model m")}
    assert {node.status for node in report.failed} == {"partial success", "fail", "error"}
    telling = {line.split(" model ")[0].strip() for line in table if line.endswith("Said so")}
    assert telling == {"warn", "no-op", "reused", "partial success", "fail", "error"}


def test_what_dbt_state_saved_is_counted_and_is_no_work_left():
    statuses = ["success", "no-op", "reused", "reused"]
    nodes = [NodeResult(f"test.shop.t{n}.0123456789", status) for n, status in enumerate(statuses)]
    report = RunReport(RUN, (*nodes, NodeResult("exposure.shop.board", "no-op")))
    line = "dbt State saved the execution of 3 nodes: 2 reused, 1 no-op."
    assert line in report.log_lines()
    assert line in report.to_markdown()
    assert (report.to_dict()["saved"], report.left_to_do, report.failed) == (3, (), ())


def test_nothing_is_said_of_savings_where_there_are_none():
    assert not [line for line in RunReport(RUN, (FINE, BROKEN)).log_lines() if "dbt State" in line]


def test_the_compiled_code_of_what_failed_is_named():
    broken = replace(BROKEN, compiled_path="compiled/shop/models/orders.sql")
    report = RunReport(RUN, (broken, replace(FINE, compiled_path="compiled/shop/models/customers.sql")))
    assert "such column | x (compiled/shop/models/orders.sql)." in report.failure_summary()
    (named,) = [line for line in report.log_lines() if "compiled/" in line]
    assert named.endswith("(compiled/shop/models/orders.sql)")
    assert report.to_json()["nodes"][0]["compiled_path"] == "compiled/shop/models/orders.sql"


CLONE = Run.parse(
    {
        "id": 7,
        "status": 20,
        "run_steps": [
            {
                "index": 1,
                "name": "Clone git repository",
                "status": 20,
                "logs": "\x1b[31mCloning\x1b[0m\n\n" + "x" * 9000 + "\nfatal: repository not found\n",
            }
        ],
    }
)


def test_a_step_that_fails_before_any_node_is_told_by_the_end_of_its_log():
    told = RunReport(CLONE).failure_summary()
    assert told.startswith("Failed in: Clone git repository. End of its log: …")
    assert told.endswith("fatal: repository not found")
    assert len(told) < 300 + 70
    value = RunReport(CLONE).to_json()
    assert value["log_tail"][0] == "Cloning"
    assert value["log_tail"][-1] == "fatal: repository not found"
    assert "\x1b" not in "".join(RunReport(CLONE).log_lines())


def test_the_json_keeps_to_its_bound_whatever_is_long():
    steps = [{"index": n, "name": "n" * 5000, "status": 20, "logs": "é" * 90_000} for n in range(50)]
    run = Run.parse({"id": 7, "status": 20, "status_message": "m" * 90_000, "run_steps": steps})
    value = RunReport(run, (FINE,), ("g" * 90_000,) * 100).to_json()
    assert len(json.dumps(value)) <= 40_000


def test_what_was_left_out_is_told_by_status():
    nodes = tuple(NodeResult(f"model.shop.m{n}", "success", message="é" * 200) for n in range(2000))
    value = RunReport(RUN, (*nodes, BROKEN)).to_json()
    assert value["left_out_by_status"] == {"success": value["left_out"]}


def test_rows_have_the_same_columns_for_every_node():
    rows = RunReport(RUN, (FINE, BROKEN, TEST), node_steps={"model.shop.orders": 4}).to_rows()
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert rows[1] == {
        "run_id": 7,
        "unique_id": "model.shop.orders",
        "kind": "model",
        "name": "orders",
        "package": "shop",
        "status": "error",
        "seconds": 1.25,
        "rows": None,
        "failures": None,
        "message": "Database Error\n  no such column | x",
        "relation": None,
        "compiled_path": None,
        "step": 4,
    }
    assert RunReport(RUN).to_rows() == []


def test_html_shows_failures_first_and_escapes_every_text():
    bad = replace(BROKEN, message="<script>alert(1)</script>")
    html = RunReport(RUN, (FINE, bad), gaps=("a < b",)).to_html()
    assert '<a href="https://x/7/">dbt Cloud run 7 ended with status Error.</a>' in html
    assert html.index("model orders") < html.index("model customers")
    assert "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>" in html
    assert "<div>a &lt; b</div>" in html
    assert "<script" not in html


def test_html_links_to_web_pages_only():
    hostile = Run.parse({"id": 7, "status": 10, "href": "javascript:alert(1)"})
    assert "javascript" not in RunReport(hostile).to_html()
    quoted = Run.parse({"id": 7, "status": 10, "href": 'https://x/" onclick="y'})
    assert ' onclick="' not in RunReport(quoted).to_html()


def test_html_shows_as_many_nodes_as_a_log():
    nodes = tuple(NodeResult(f"model.shop.m{each}", "success") for each in range(60))
    html = RunReport(RUN, nodes).to_html()
    assert (html.count("<tr>"), "… and 10 more" in html) == (51, True)
