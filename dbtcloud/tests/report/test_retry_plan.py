"""A retry plan holds what is left to be done of a run, and nothing else."""

import pytest

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run, Step
from dbtcloud.report.retry_plan import RetryPlan, unexecuted_message

OK, ERROR, CANCELLED = 10, 20, 30
A = "--select fqn:a,package:shop,file:a,resource_type:model --indirect-selection empty"


def run(*steps, commands=(), status=ERROR, override=None):
    """A run that has called dbt with these (command, status) after cloning the project."""
    named = [("Clone git repository", OK), *((f"Invoke dbt with `{name}`", ended) for name, ended in steps)]
    data = {"trigger": {"steps_override": override}, "job": {"execute_steps": list(commands)}}
    return Run(7, status, steps=tuple(Step(i, *each) for i, each in enumerate(named, 1)), data=data)


def results(**statuses):
    return [NodeResult(f"model.shop.{name}", status.replace("_", " ")) for name, status in statuses.items()]


def plan(*steps, nodes=None, original=None, **fields):
    fields.setdefault("commands", [name for name, _ in steps])
    return RetryPlan.of_run(run(*steps, **fields), nodes or {}, original=original)


def test_what_failed_or_was_skipped_is_done_again_and_nothing_else():
    nodes = results(a="error", b="skipped", c="runtime_error", d="fail")
    fine = results(e="success", g="warn", h="pass", i="no-op", j="reused")
    found = plan(("dbt run", ERROR), nodes={2: nodes + fine})
    assert [node.name for node in found.nodes] == ["a", "b", "c", "d"]
    (command,) = found.commands
    assert command.split()[3:] == [f"fqn:{name},package:shop,file:{name}" for name in "abcd"]


def test_commands_that_were_not_reached_follow_as_they_are():
    commands = ["dbt seed", "dbt build -s  a+", "dbt run-operation 'clean up'"]
    steps = [("dbt seed", OK), ("dbt build -s  a+", ERROR)]
    found = plan(*steps, commands=commands, nodes={3: results(a="error")})
    assert found.commands == (f"dbt build {A}", "dbt run-operation 'clean up'")


def test_the_commands_of_the_trigger_go_before_those_of_the_job():
    found = plan(("dbt run", ERROR), commands=["dbt build"], override=["dbt run", "dbt test"])
    assert (found.commands, found.notes) == (("dbt run", "dbt test"), ())


def test_a_node_counts_by_its_last_result():
    steps = [("dbt run", ERROR), ("dbt run --full-refresh", ERROR)]
    found = plan(*steps, nodes={2: results(a="error", b="error"), 3: results(a="success", b="error")})
    assert found.commands == ("dbt run --full-refresh --select fqn:b,package:shop,file:b",)
    assert [node.name for node in found.nodes] == ["b"]


def test_the_last_step_counts_in_whatever_order_results_are_given():
    steps = [("dbt run", ERROR), ("dbt run --full-refresh", ERROR)]
    found = plan(*steps, nodes={3: results(a="success", b="error"), 2: results(a="error", b="error")})
    assert found.commands == ("dbt run --full-refresh --select fqn:b,package:shop,file:b",)


def test_a_step_whose_failures_a_later_step_made_good_is_not_repeated():
    steps = [("dbt run", ERROR), ("dbt run --full-refresh", OK), ("dbt test", ERROR)]
    found = plan(*steps, nodes={2: results(a="error"), 3: results(a="success")})
    assert (found.commands, found.nodes) == (("dbt test",), ())


def test_a_command_that_the_job_has_twice_is_reached_twice():
    found = plan(("dbt run", OK), ("dbt run", ERROR), commands=["dbt run", "dbt run", "dbt test"])
    assert found.commands == ("dbt run", "dbt test")


def test_a_command_more_often_in_the_run_than_in_the_job_shows_that_the_job_has_changed():
    found = plan(("dbt run", OK), ("dbt run", ERROR), commands=["dbt run"])
    assert found.commands == ("dbt run",)
    assert found.notes[0].startswith("The job's commands have changed since the run")


def test_a_job_that_was_stopped_before_its_second_dbt_command_has_that_one_left():
    found = plan(("dbt seed", OK), commands=["dbt seed", "dbt seed"])
    assert found.commands == ("dbt seed",)


def test_nodes_with_one_selection_are_selected_once_and_in_order():
    twins = [NodeResult(f"test.shop.sums.{'0' * 9}{i}", "fail") for i in (1, 2)]
    found = plan(("dbt test", ERROR), nodes={2: [*twins, NodeResult("test.shop.all", "fail")]})
    selection = "fqn:all,package:shop,file:all fqn:sums,package:shop"
    assert found.commands == (f"dbt test --select {selection} --indirect-selection empty",)
    assert (len(found.nodes), found.notes) == (3, ())


@pytest.mark.parametrize("status", [OK, 3])
def test_a_run_that_did_not_fail_leaves_nothing_to_be_done(status):
    found = plan(("dbt run", OK), ("dbt docs generate", ERROR), status=status)
    assert (found.nodes, found.commands) == ((), ())
    word = {OK: "it ended with Success", 3: "it is still running"}[status]
    assert found.log_lines() == [f"Run 7 has nothing to retry: {word}."]


def test_where_nothing_is_known_to_have_failed_the_plan_says_so():
    told, note = plan(("dbt run", OK), commands=["dbt build"]).log_lines()
    assert told == "Run 7 has no retry plan: none of its dbt commands failed."
    assert note.startswith("The job's commands have changed since the run")


@pytest.mark.parametrize(
    "command",
    [
        "dbt deps",
        "dbt docs generate",
        "dbt source freshness -s a",
        "dbt run-operation a",
        "dbt run --vars 'b",
    ],
)
def test_a_command_without_nodes_is_done_again_as_it_is(command):
    found = plan((command, ERROR), commands=[command, "dbt test"])
    assert found.commands == (command, "dbt test")


def test_a_command_that_did_not_compile_is_done_again_as_it_is():
    assert plan(("dbt build -s a", ERROR)).commands == ("dbt build -s a",)


def test_where_only_a_hook_failed_the_command_is_done_again_as_it_is():
    hook = NodeResult("operation.shop.shop-on-run-end-0", "error")
    found = plan(("dbt run", ERROR), nodes={2: [*results(a="success"), hook]})
    assert (found.commands, found.nodes, found.notes) == (("dbt run",), (), ())


def test_a_hook_that_failed_along_with_a_node_is_none_of_the_plans_nodes():
    hook = NodeResult("operation.shop.shop-on-run-end-0", "error")
    found = plan(("dbt run", ERROR), nodes={2: [*results(a="error"), hook]})
    assert found.commands == ("dbt run --select fqn:a,package:shop,file:a",)
    assert ([node.name for node in found.nodes], found.notes) == (["a"], ())


def test_a_command_that_was_stopped_is_done_again_as_it_is():
    """It has not told of all of its nodes."""
    found = plan(("dbt run", CANCELLED), status=CANCELLED, nodes={2: results(a="error")})
    assert (found.commands, found.nodes) == (("dbt run",), ())


def test_a_run_that_never_came_to_dbt_is_done_again_as_a_whole():
    assert plan(commands=["dbt seed", "dbt run"]).commands == ("dbt seed", "dbt run")


def test_what_dbt_cloud_adds_by_itself_is_left_to_it():
    steps = [("dbt deps", OK), ("dbt source freshness", ERROR), ("dbt run", ERROR)]
    found = plan(*steps, commands=["dbt run", "dbt source freshness"])
    assert found.commands == ("dbt run", "dbt source freshness")


def test_a_job_that_was_changed_meanwhile_does_not_tell_what_was_still_to_come():
    found = plan(("dbt build", ERROR), commands=["dbt run", "dbt test"], nodes={2: results(a="error")})
    assert found.commands == (f"dbt build {A}",)
    assert found.notes == (
        "The job's commands have changed since the run, so those that it did not reach are not known.",
    )


def test_a_retry_stands_for_the_command_that_it_retries():
    original = """dbt build --vars '{"x": "-s a"}' -s a+"""
    found = plan(
        ("dbt retry", ERROR),
        commands=["dbt seed", original, "dbt test"],
        original=original,
        nodes={2: results(a="error")},
    )
    assert found.commands == (f"""dbt build --vars '{{"x": "-s a"}}' {A}""", "dbt test")


def test_a_retry_of_something_unknown_says_so():
    found = plan(("dbt retry", ERROR), commands=["dbt build", "dbt test"], nodes={2: results(a="error")})
    assert found.commands == (f"dbt build {A}", "dbt test")
    assert found.notes == (
        "Step 2 retried an earlier run whose command is not known: `dbt build` is assumed.",
    )


def test_a_retry_that_the_job_itself_asks_for_cannot_be_narrowed():
    found = plan(("dbt retry", ERROR), commands=["dbt retry"], nodes={2: results(a="error")})
    assert found.commands == ("dbt retry",)
    assert found.notes == ("`dbt retry` is repeated in full: dbt cannot select only its failed nodes.",)


def test_a_name_that_dbt_would_read_otherwise_leaves_the_command_whole():
    test = NodeResult("test.shop.sums, all of them.0123456789", "fail")
    found = plan(("dbt test", ERROR), nodes={2: [test]})
    assert found.commands == ("dbt test",)
    assert "dbt cannot select only its failed nodes" in found.notes[0]


def test_nodes_that_dbt_cannot_tell_apart_are_named():
    twins = [NodeResult(f"test.shop.sums.{'0' * 9}{i}", status) for i, status in ((1, "fail"), (2, "pass"))]
    found = plan(("dbt test", ERROR), nodes={2: twins})
    assert found.commands == ("dbt test --select fqn:sums,package:shop --indirect-selection empty",)
    assert found.notes == (
        "Nodes of the same name as a failed one are executed too: test.shop.sums.0000000002.",
    )


@pytest.mark.parametrize(
    ("other", "noted"), [("snapshot.shop.b", 1), ("snapshot.else.b", 0), ("seed.shop.b", 0)]
)
def test_snapshots_that_may_share_a_file_with_one_that_failed_are_told_of(other, noted):
    nodes = [NodeResult("snapshot.shop.a", "error"), NodeResult(other, "success")]
    found = plan(("dbt build", ERROR), nodes={2: nodes})
    note = "Other snapshots in a file or folder named a are executed too."
    assert found.notes == (note,) * noted


def test_the_lines_name_nodes_and_commands():
    found = plan(("dbt run", ERROR), nodes={2: results(a="error", b="skipped")})
    assert found.log_lines() == [
        "Retry plan of run 7: 2 nodes, 1 command.",
        "  error    model a",
        "  skipped  model b",
        "Commands:",
        "  dbt run --select fqn:a,package:shop,file:a fqn:b,package:shop,file:b",
    ]


def test_the_lines_of_a_large_plan_are_few():
    nodes = results(**{f"model_of_a_long_name_{i}": "skipped" for i in range(50 + 3)})
    found = plan(("dbt run", ERROR), nodes={2: nodes})
    told = found.log_lines()
    assert "  … and 3 more" in told
    assert told[-1].endswith(f"… ({len(found.commands[0]):,} characters)")
    assert len(told[-1]) < len(found.commands[0])


def test_a_plan_of_fifty_nodes_names_all_of_them():
    nodes = results(**{f"m{i}": "skipped" for i in range(50)})
    lines = plan(("dbt run", ERROR), nodes={2: nodes}).log_lines()
    assert lines[0] == "Retry plan of run 7: 50 nodes, 1 command."
    assert len([line for line in lines if line.startswith("  skipped")]) == 50
    assert not [line for line in lines if "more" in line]


def test_a_plan_without_nodes_says_so():
    assert plan(("dbt deps", ERROR)).log_lines()[0] == "Retry plan of run 7: 0 nodes, 1 command."


@pytest.mark.parametrize(("count", "more"), [(1, ""), (50, ""), (51, "; and 1 more"), (103, "; and 53 more")])
def test_the_message_about_what_a_retry_left_out_names_fifty_parts(count, more):
    missing = [f"model m{i}" for i in range(count)]
    message = unexecuted_message(7, missing)
    assert message.startswith("Job run 7 succeeded, but it has not executed everything")
    assert f" left to do: {'; '.join(missing[:50])}{more}. dbt found nothing" in message


@pytest.mark.parametrize(("length", "shown"), [(2_000, 2_000), (2_001, 2_000)])
def test_a_command_of_2_000_characters_is_shown_whole_and_a_longer_one_is_cut(length, shown):
    command = "dbt deps ".ljust(length, "x")
    line = plan((command, ERROR)).log_lines()[-1].removeprefix("  ")
    assert line == (command if length == shown else f"{command[:shown]}… (2,001 characters)")


@pytest.mark.parametrize(
    ("summary", "whole"),
    [
        ("Summary: 5 total | 2 success | 1 error | 2 skipped", True),
        ("\x1b[1mSummary:\x1b[0m 4 total | \x1b[31m1 error\x1b[0m | 1 skipped | 1 canceled", True),
        ("Summary: 4 total | 1 success | 1 reused | 1 error | 1 skipped | 1 no-op", False),
        ("Done. PASS=1 WARN=0 ERROR=1 SKIP=9 NO-OP=0 TOTAL=11", False),
    ],
)
def test_where_results_lack_nodes_that_failed_the_command_is_repeated_in_full(summary, whole):
    """dbt 2.0 logs how many nodes failed, and has left some of them out of its results."""
    step = Step(2, "Invoke dbt with `dbt build`", ERROR, logs=f"Finished 'build'\n{summary}\n")
    job = {"job": {"execute_steps": ["dbt build", "dbt test"]}}
    found = RetryPlan.of_run(Run(7, ERROR, steps=(step,), data=job), {2: results(a="error", b="skipped")})
    why = "of 3 nodes that failed or were skipped, the results of step 2 name 2."
    note = f"`dbt build` is repeated in full: {why}"
    assert found.notes == ((note,) if whole else ())
    assert (found.commands[0] == "dbt build") is whole
    assert found.commands[-1] == "dbt test"
