"""The log of a step says what a failed node's result does not. The logs here are dbt 1.11's."""

import json

import pytest

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Step
from dbtcloud.report.step_log import LOG_TAIL_LINES, StepLog

DAILY = NodeResult("model.shop.daily", "error", message="ERROR", relation='"db"."prod"."daily"')
WEEKLY = NodeResult("model.shop.weekly", "error", message="ERROR", relation='"db"."prod"."weekly"')
CONVERSION = "Runtime Error\n  Conversion Error: Could not convert string 'x' to INT32"


def failed_batch(error, batch="2 of 4"):
    return f"""10:00:01  Unhandled error while executing
Exception on worker thread. {error}
10:00:01  Batch {batch} ERROR creating batch 2026-11-26 of prod.daily ...... [ERROR in 0.06s]
"""


def event(text, level="error", unique_id=None, **data):
    node = {"node_info": {"unique_id": unique_id}} if unique_id else {}
    return json.dumps({"info": {"name": "X", "msg": text, "level": level}, "data": {**node, **data}}) + "\n"


def message(node, logs="", debug_logs=None):
    step = Step(3, "Invoke dbt with `dbt build`", 20, logs, debug_logs)
    return StepLog(step).explain([node])[0].message


def test_the_error_of_a_batch_is_found_by_the_result_that_follows_it():
    assert message(DAILY, failed_batch(CONVERSION)) == CONVERSION
    partial = NodeResult("model.shop.daily", "partial success", message="PARTIAL SUCCESS (3/4)")
    assert message(partial, failed_batch(CONVERSION)) == f"PARTIAL SUCCESS (3/4): {CONVERSION}"
    assert message(WEEKLY, failed_batch(CONVERSION)) == "ERROR"


def test_errors_of_a_model_that_differ_only_in_numbers_count_once():
    log = failed_batch("Error: table tmp_1") + failed_batch("Error: table tmp_22") + failed_batch(CONVERSION)
    assert message(DAILY, log) == f"Error: table tmp_1; {' '.join(CONVERSION.split())}"


def test_several_long_errors_fit_together_where_one_message_is_shown():
    log = "".join(failed_batch(f"Error {letter * 3} {'-' * 500}") for letter in "abcd")
    found = message(DAILY, log)
    assert len(found) <= 300
    assert [word in found for word in ("aaa", "bbb", "ccc", "ddd")] == [True, True, True, False]


MIXED = """10:00:01  Exception on worker thread. {first}
10:00:01  Exception on worker thread. {second}
10:00:01  Batch 1 of 4 ERROR creating batch 2026-11-26 of prod.daily ... [ERROR in 0.06s]
10:00:01  Batch 1 of 4 ERROR creating batch 2026-11-26 of prod.{other} ... [ERROR in 0.06s]
"""


def test_errors_of_two_models_at_once_are_not_guessed():
    log = MIXED.format(first="a", second="b", other="weekly")
    assert (message(DAILY, log), message(WEEKLY, log)) == ("ERROR", "ERROR")
    assert message(DAILY, MIXED.format(first="a", second="b", other="daily")) == "a; b"


def test_errors_of_two_models_at_once_are_told_apart_by_thread_or_by_name():
    lines = [
        "10:00:01.1 [error] [Thread-1 (]: Exception on worker thread. the days",
        "10:00:01.2 [error] [Thread-2 (]: Exception on worker thread. the weeks",
        "10:00:01.3 [error] [Thread-2 (]: Batch 1 of 4 ERROR creating batch 2026-11-26 of prod.weekly",
        "10:00:01.4 [error] [Thread-1 (]: Batch 1 of 4 ERROR creating batch 2026-11-26 of prod.daily",
    ]
    assert message(DAILY, debug_logs="\n".join(lines)) == "the days"
    assert message(WEEKLY, debug_logs="\n".join(lines)) == "the weeks"
    named = MIXED.format(
        first="Compilation Error in model daily (models/daily.sql)\n  no macro", second="b", other="weekly"
    )
    assert message(DAILY, named) == "Compilation Error in model daily (models/daily.sql)\n  no macro"
    assert message(WEEKLY, named) == "ERROR"


@pytest.mark.parametrize("field", ["logs", "debug_logs"])
def test_structured_events_name_their_node_and_come_first(field):
    exc = f"Exception on worker thread. {CONVERSION}"
    log = event("Unhandled", unique_id="model.shop.daily", exc=exc) + event(
        "Unhandled", unique_id="model.shop.weekly", exc="Exception on worker thread. the weeks"
    )
    plain = {"logs": failed_batch("from the plain text")} if field == "debug_logs" else {}
    assert message(DAILY, **{**plain, field: log}) == CONVERSION
    assert message(WEEKLY, **{field: log}) == "the weeks"


OPERATION = """10:00:00  Found 2 models
10:00:01  Encountered an error while running operation: Compilation Error in macro publish (macros/ops.sql)
  publishing is not possible today

  > called by macro publish (macros/ops.sql)
"""


@pytest.mark.parametrize("unique_id", ["macro.shop.publish", "operation.shop.publish"])
@pytest.mark.parametrize("structured", [False, True])
def test_the_error_of_a_run_operation_is_that_of_its_macro(unique_id, structured):
    log = OPERATION
    if structured:
        text = OPERATION.partition("10:00:01  ")[2]
        log = event(text, exc=text.partition("operation: ")[2])
    found = message(NodeResult(unique_id, "error"), log)
    assert found.startswith("Compilation Error in macro publish (macros/ops.sql)")
    assert "publishing is not possible today" in found


def test_an_own_message_stays_and_a_node_that_did_not_fail_gets_none():
    own = NodeResult("model.shop.daily", "error", message="Database Error: no column")
    passed = NodeResult("model.shop.daily", "success")
    assert message(own, failed_batch(CONVERSION)) == "Database Error: no column"
    assert message(passed, failed_batch(CONVERSION)) == ""


@pytest.mark.parametrize("line", ["{", '{"info": 3}', "{" * 200_000, '{"a":' * 200_000, "[]", "null"])
def test_a_line_that_is_no_event_is_plain_text(line):
    log = StepLog(Step(1, "Invoke dbt with `dbt build`", 20, f"{line}\n"))
    assert log.tail == [line]


DEPRECATED = """10:00:00  Running with dbt=1.11.16
10:00:02  [WARNING][MissingArgumentsPropertyInGenericTestDeprecation]: Deprecated
functionality
10:00:02  Encountered an error:
Parsing Error
  Env var required but not provided: 'NOT_SET_ANYWHERE'
10:00:02  [WARNING][DeprecationsSummary]: Deprecated functionality
Summary of encountered deprecations:
""" + "".join(f"- Deprecation{n}: {n} occurrences\n" for n in range(50))


def test_deprecations_do_not_hide_why_a_project_does_not_parse():
    log = StepLog(Step(3, "Invoke dbt with `dbt build`", 20, DEPRECATED))
    assert log.tail == [line for n, line in enumerate(DEPRECATED.splitlines()) if n in {0, 3, 4, 5}]
    assert log.cause.endswith(
        "Encountered an error: Parsing Error Env var required but not provided: 'NOT_SET_ANYWHERE'"
    )


def test_structured_logs_are_shown_as_their_messages_without_debug_events_and_warnings():
    log = (
        event("started", "info")
        + event("connected", "debug")
        + event("\x1b[31mEncountered an error:\x1b[0m\nno project")
    )
    found = StepLog(Step(3, "", 20, log + event("Summary of deprecations", "warn")))
    assert found.tail == ["started", "Encountered an error:", "no project"]
    assert found.cause == "started Encountered an error: no project"


def test_warnings_stay_where_no_error_is_named_for_a_crash_may_follow_them():
    log = "10:00:00  [WARNING]: Configuration paths exist\nKilled"
    assert StepLog(Step(3, "", 20, log)).tail == log.splitlines()


def test_a_long_error_keeps_its_beginning_and_its_end():
    log = "10:00:00  before\n10:00:01  Encountered an error:\nno table\n" + "at frame\n" * 100 + "last word"
    found = StepLog(Step(3, "", 20, log))
    assert found.tail[:2] == ["10:00:01  Encountered an error:", "no table"]
    assert (found.tail[10], found.tail[-1], len(found.tail)) == ("…", "last word", LOG_TAIL_LINES)
    assert found.cause.startswith("Encountered an error: no table")
    assert found.cause.endswith("last word")


def test_a_step_without_a_log_has_no_cause():
    assert (StepLog(Step(1, "", 20)).tail, StepLog(Step(1, "", 20)).cause) == ([], "")
