"""A retry plan builds the failed batches of microbatch models, before what depends on them."""

from datetime import UTC, datetime, timedelta

import pytest

from dbtcloud.artifacts.batches import Batch, Microbatch
from dbtcloud.artifacts.manifest import Manifest, ManifestNode
from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.artifacts.schema import ArtifactSchema
from dbtcloud.client.models import Run, Step
from dbtcloud.report.project_facts import ProjectFacts
from dbtcloud.report.retry_plan import RetryPlan

OK, ERROR = 10, 20
STARTED = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)


def day(number, *, hours=24):
    start = datetime(2026, 11, number, tzinfo=UTC)
    return Batch(start, start + timedelta(hours=hours))


def days(*numbers):
    return tuple(map(day, numbers))


def daily(failed=(), successful=(), name="daily", status="partial success"):
    batches = {"successful_batches": days(*successful), "failed_batches": days(*failed)}
    return NodeResult(f"model.shop.{name}", status, **batches)


def facts(*models, now=STARTED, version="1.11.0", **configured):
    """A project in which each model depends on the one before it."""
    names = [f"model.shop.{model}" for model in models]
    nodes = {
        name: ManifestNode(
            name, resource_type="model", depends_on=(before,), microbatch=Microbatch("day", **configured)
        )
        for before, name in zip(["", *names], names, strict=False)
    }
    return ProjectFacts(Manifest(ArtifactSchema(dbt_version=version), nodes), STARTED, now)


def plan(nodes, command="dbt run", *, project=None, status=ERROR):
    steps = (Step(1, f"Invoke dbt with `{command}`", status),)
    run = Run(7, ERROR, steps=steps, data={"job": {"execute_steps": [command]}})
    return RetryPlan.of_run(run, {1: nodes}, facts=project)


def select(*names, subcommand="run", options=""):
    selected = " ".join(f"fqn:{name},package:shop,file:{name}" for name in names)
    return f"dbt {subcommand}{options} --select {selected}"


def times(start, end):
    return f" --event-time-start 2026-11-{start}T00:00:00 --event-time-end 2026-11-{end}T00:00:00"


def test_each_range_of_failed_batches_has_a_command_of_its_own():
    found = plan([daily(failed=(20, 22, 23, 27), successful=(21, 24, 25, 26))])
    assert found.commands == tuple(select("daily") + times(*each) for each in [(20, 21), (22, 24), (27, 28)])
    assert found.notes == ()
    assert "  partial success model daily: 4 batches, 2026-11-20 to 2026-11-21, " in "\n".join(
        found.log_lines()
    )


@pytest.mark.parametrize("count", [5, 6])
def test_the_line_of_a_model_names_five_ranges_of_failed_batches(count):
    line = plan([daily(failed=range(1, 2 * count, 2))]).log_lines()[1]
    ranges = ", ".join(map(str, days(1, 3, 5, 7, 9)))
    assert line == f"  partial success model daily: {count} batches, {ranges}"


def test_models_with_the_same_failed_batch_are_built_by_one_command():
    nodes = [daily((22,), (21,)), daily((22,), (21,), name="hourly")]
    assert plan(nodes).commands == (select("daily", "hourly") + times(22, 23),)


def test_children_that_were_skipped_are_executed_after_the_batches():
    test = NodeResult("test.shop.unique_daily_id.0123456789", "skipped")
    child = NodeResult("model.shop.monthly", "skipped")
    first, second = plan([daily((22,), (21,)), child, test], "dbt build --threads 2 -s daily+").commands
    assert first == (
        "dbt build --threads 2 --select fqn:daily,package:shop,file:daily,resource_type:model"
        f" --indirect-selection empty{times(22, 23)}"
    )
    assert "daily" not in second.replace("unique_daily_id", "")
    assert "monthly" in second
    assert "--event-time" not in second


@pytest.mark.parametrize("flag", ["--full-refresh", "-f", "-xf"])
def test_a_full_refresh_does_not_replace_the_batches_that_were_built(flag):
    (command,) = plan([daily((22,), (21,))], f"dbt run {flag}").commands
    assert command == select("daily", options=" -x" if "x" in flag else "") + times(22, 23)


@pytest.mark.parametrize("flag", ["", " --full-refresh"])
def test_where_no_batch_was_built_all_of_them_are_and_the_table_may_be_replaced(flag):
    (command,) = plan([daily((20, 21, 22), status="error")], f"dbt run{flag}").commands
    assert command == select("daily", options=flag) + times(20, 23)


def test_a_model_that_is_always_built_from_the_beginning_is_built_as_a_whole():
    project = facts("daily", full_refresh=True)
    (command,) = plan([daily((21,), (20, 22))], project=project).commands
    assert command == select("daily") + times(20, 23)


def test_event_times_of_the_command_itself_are_replaced_for_the_batches_only():
    command = "dbt run --event-time-start 2026-11-01 --event-time-end 2026-11-30"
    first, second = plan([daily((22,), (21,)), NodeResult("model.shop.b", "skipped")], command).commands
    assert first == select("daily") + times(22, 23)
    assert second == select("b", options=command.removeprefix("dbt run"))


def test_what_a_later_step_built_or_tried_again_is_not_planned_for_the_earlier_one():
    steps = tuple(Step(n, f"Invoke dbt with `dbt run --threads {n}`", ERROR) for n in (1, 2))
    run = Run(7, ERROR, steps=steps, data={"job": {"execute_steps": [step.dbt_command for step in steps]}})
    results = {1: [daily((20, 21, 22), (19,))], 2: [daily((22,), (21,))]}
    found = RetryPlan.of_run(run, results)
    assert found.commands == (
        select("daily", options=" --threads 1") + times(20, 21),
        select("daily", options=" --threads 2") + times(22, 23),
    )


def test_a_later_success_without_batches_settles_all_of_them():
    steps = (Step(1, "Invoke dbt with `dbt run -x`", ERROR), Step(2, "Invoke dbt with `dbt run`", OK))
    run = Run(7, ERROR, steps=steps, data={"job": {"execute_steps": ["dbt run -x", "dbt run"]}})
    found = RetryPlan.of_run(run, {1: [daily((20,), (19,))], 2: [daily(status="success")]})
    assert (found.nodes, found.commands) == ((), ())


def test_failed_batches_in_a_step_that_dbt_ended_with_success_are_planned():
    """dbt 1.9 exits with 0 if batches of a model without children failed."""
    found = plan([daily((22,), (21,)), NodeResult("model.shop.b", "success")], status=OK)
    assert found.commands == (select("daily") + times(22, 23),)


@pytest.mark.parametrize(
    ("node", "command", "version", "why"),
    [
        (
            daily(),
            "dbt run",
            "1.11.0",
            "it is not known which batches of model daily failed, and some may stay missing",
        ),
        (daily(status="error"), "dbt run", "2.0.4", "it is not known which batches of model daily failed"),
        (
            daily((22,), (21,)),
            "dbt run --sample '1 day'",
            "1.11.0",
            "dbt ignores the times of batches where it takes a",
        ),
        (daily((22,), (21,)), "dbt retry", "1.11.0", "dbt cannot select only its failed nodes"),
    ],
    ids=["no batches recorded", "dbt 2.0", "sample", "retry"],
)
def test_where_failed_batches_cannot_be_planned_the_plan_says_so(node, command, version, why):
    found = plan([node], command, project=facts("daily", version=version))
    assert found.commands == (command,)
    assert len(found.notes) == 1
    assert found.notes[0].startswith(f"`{command}` is repeated in full: {why}")


def test_a_model_that_cannot_be_selected_builds_its_batches_with_the_command_as_it_is():
    (command,) = plan([daily((22,), (21,), name="odd name")], "dbt run -s tag:a --full-refresh").commands
    assert command == "dbt run -s tag:a" + times(22, 23)


def test_a_skipped_model_builds_what_it_would_have_built_on_the_day_of_the_run():
    """Between the run and its retry, two days pass; without times, dbt would build the 23rd and the 24th."""
    nodes = [NodeResult(f"model.shop.{name}", status) for name, status in [("a", "error"), ("b", "skipped")]]
    late = facts("b", "c", now=STARTED + timedelta(days=2))
    commands = plan([*nodes, NodeResult("model.shop.c", "skipped")], project=late).commands
    assert commands == (select("a", "b", "c"), select("b", "c") + times(21, 23))


def test_what_depends_on_a_skipped_model_is_executed_after_its_range_too():
    nodes = [NodeResult(f"model.shop.{name}", "skipped") for name in "bcd"]
    late = facts("b", now=STARTED + timedelta(days=1))
    late.manifest.nodes["model.shop.c"] = ManifestNode("model.shop.c", depends_on=("model.shop.b",))
    commands = plan(nodes, "dbt run --full-refresh", project=late).commands
    assert commands == (select("b", "c", "d", options=" --full-refresh"),)
    commands = plan(nodes, project=late).commands
    assert commands == (select("b", "c", "d"), select("b") + times(21, 22), select("c"))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"now": STARTED + timedelta(minutes=29)},
        {"now": STARTED + timedelta(days=9), "full_refresh": True},
    ],
)
def test_a_skipped_model_needs_no_range_on_the_same_day_or_if_it_builds_everything(changed):
    node = NodeResult("model.shop.b", "skipped")
    assert plan([node], project=facts("b", **changed)).commands == (select("b"),)


def test_a_skipped_model_keeps_the_event_times_of_the_command():
    command = f"dbt run{times(20, 23)}"
    late = facts("b", now=STARTED + timedelta(days=9))
    (found,) = plan([NodeResult("model.shop.b", "skipped")], command, project=late).commands
    assert found == select("b", options=times(20, 23))


PLANNED = [daily((22, 23, 25), (24,)), NodeResult("test.shop.total.0123456789", "fail")]


@pytest.mark.parametrize(
    ("executed", "missing"),
    [
        ([daily(successful=(22, 23)), daily(successful=(25,)), NodeResult(PLANNED[1].unique_id, "warn")], ()),
        (
            [daily(successful=(23, 26)), PLANNED[1]],
            ("model daily, 2026-11-22 to 2026-11-23", "model daily, 2026-11-25 to 2026-11-26"),
        ),
        (
            [daily(successful=(27, 28))],
            ("model daily, 2026-11-22 to 2026-11-24", "model daily, 2026-11-25 to 2026-11-26", "test total"),
        ),
        ([], ("model daily", "test total")),
        ([daily(status="success"), NodeResult(PLANNED[1].unique_id, "reused")], ()),
    ],
    ids=["all", "one day", "another day", "nothing", "dbt 2.0"],
)
def test_what_a_retry_has_not_executed_is_named(executed, missing):
    assert plan(PLANNED, "dbt build").unexecuted(executed) == missing
