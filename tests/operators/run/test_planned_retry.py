"""A run by the commands of a retry plan is compared with that plan: what it left out fails the task."""

from datetime import timedelta

import pytest

from airflow_dbt_cloud.operators.run.reuse import failed_before
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Run
from dbtcloud.client.run_status import RunStatus
from moments import in_a_moment

pytestmark = pytest.mark.usefixtures("jobs", "moments")  # which end in the reverse order

WAITS = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])
COMMAND = "dbt build -s tag:nightly"
LEFT = {"model.shop.orders": "error", "model.shop.late": "skipped"}
DAY = ["2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"]


def shop(statuses, outcome=10, batches=None):
    """A job of one command that writes these results."""
    results = [{"unique_id": name, "status": status} for name, status in statuses.items()]
    if batches:
        results[0]["batch_results"] = batches
    step = {"name": f"Invoke dbt with `{COMMAND}`", "command": COMMAND, "outcome": outcome}
    kept = {"run_results.json": {"results": results}}
    pretend = {"running": 0.1, "outcome": outcome, "steps": [step], "artifacts": kept}
    return {"id": 60, "name": "Shop", "execute_steps": [COMMAND], "pretend": pretend}


@pytest.fixture
def retried(build, jobs):
    """Runs a task whose tries find these jobs; before each retry somebody else starts the job, too."""

    def run(*tries, **arguments):
        prepared = set()

        def before(context):
            attempt = context["ti"].try_number
            if attempt in prepared:
                return  # the task continues after a deferral
            prepared.add(attempt)
            if attempt > 1:
                jobs.started(60)  # so dbt Cloud cannot retry the task's own run
                jobs.control.advance(5)
            jobs.control.seed(jobs=[tries[attempt - 1]])

        again = {"retries": len(tries) - 1, "retry_delay": timedelta(0), "pre_execute": before}
        return build(job_id=60, **{"retry_from_failure": "steps", **again, **arguments})

    return run


@WAITS
def test_a_node_that_was_not_executed_fails_the_task_by_name(retried, jobs, deferrable):
    outcome = retried(shop(LEFT, 20), shop({"model.shop.orders": "success"}), deferrable=deferrable)
    assert outcome.state == "failed"
    assert jobs.triggers()[-1]["steps_override"]
    run = jobs.runs()[-1]["id"]
    left_out = "but it has not executed everything that was left to do: model late. dbt found nothing"
    assert f"Job run {run} succeeded, {left_out}" in outcome.log


def test_the_try_after_that_runs_the_whole_job(retried, jobs):
    """Its success would otherwise be adopted, and fail the task again."""
    outcome = retried(shop(LEFT, 20), shop({"model.shop.orders": "success"}), shop({}))
    assert outcome.state == "success"
    assert not jobs.triggers()[-1].get("steps_override")
    assert "left to do: model late." in outcome.log
    assert "Starting a run of the whole job." in outcome.log


def test_a_retry_that_executed_its_plan_succeeds(retried):
    done = {"model.shop.orders": "success", "model.shop.late": "reused"}
    outcome = retried(shop(LEFT, 20), shop(done))
    assert outcome.state == "success"
    assert "Could not compare" not in outcome.log


def test_a_batch_that_was_not_built_fails_the_task_by_its_time(retried):
    tomorrow = [DAY[1], "2026-11-24T00:00:00Z"]
    first = shop({"model.shop.daily": "partial success"}, 20, {"successful": [tomorrow], "failed": [DAY]})
    second = shop({"model.shop.daily": "success"}, batches={"successful": [tomorrow], "failed": []})
    outcome = retried(first, second)
    assert outcome.state == "failed"
    assert "left to do: model daily, 2026-11-22 to 2026-11-23." in outcome.log


def test_what_an_earlier_retry_left_out_is_not_forgotten(retried):
    """Try 2 does not execute `late` and fails for another reason; try 3 repeats what failed in try 2."""
    second = shop({"model.shop.orders": "error"}, 20)
    outcome = retried(shop(LEFT, 20), second, shop({"model.shop.orders": "success"}))
    assert outcome.state == "failed"
    assert "left to do: model late." in outcome.log


def test_what_two_retries_executed_together_is_enough(retried):
    second = shop({"model.shop.orders": "error", "model.shop.late": "success"}, 20)
    assert retried(shop(LEFT, 20), second, shop({"model.shop.orders": "success"})).state == "success"


def test_a_run_of_the_whole_job_is_not_compared(retried):
    outcome = retried(shop(LEFT, 20), shop({}), retry_from_failure=True)
    assert outcome.state == "success"


def test_a_success_that_cannot_be_compared_stays_a_success(retried, jobs):
    def refuse_results():
        jobs.control.add_fault("status", status=403, route="*/run_results.json")

    in_a_moment(lambda: len(jobs.asked("POST", "/jobs/60/run/")) > 2, refuse_results)
    outcome = retried(shop(LEFT, 20), shop({}))
    assert outcome.state == "success"
    assert f"Could not compare run {jobs.runs()[-1]['id']} with its retry plan" in outcome.log


def run(run_id, status, attempt=1, payload="aaaaa0", retries=None):
    cause = None if retries else f"Why [af:{marker(attempt, payload)}]"
    return Run(run_id, status, cause=cause, data={"id": run_id, "retrying_run_id": retries})


def marker(attempt=9, payload="aaaaa0"):
    return Marker(Marker.digest("task"), 1, attempt, payload)


@pytest.mark.parametrize(
    ("runs", "failed"),
    [
        ([run(1, RunStatus.ERROR), run(2, RunStatus.ERROR, 2), run(3, RunStatus.SUCCESS, 3)], [2, 1]),
        ([run(1, RunStatus.ERROR), run(2, RunStatus.ERROR, retries=1), run(3, RunStatus.SUCCESS, 2)], [2, 1]),
        ([run(1, RunStatus.ERROR), run(2, RunStatus.CANCELLED, 2), run(3, RunStatus.SUCCESS, 3)], []),
        ([run(1, RunStatus.ERROR, payload="bbbbb0"), run(3, RunStatus.SUCCESS, 3)], []),
        ([run(3, RunStatus.SUCCESS), run(4, RunStatus.ERROR, 2)], []),
        ([run(1, RunStatus.ERROR)], []),
    ],
    ids=["two tries", "a retry by dbt Cloud", "cancelled between", "other overrides", "later", "not listed"],
)
def test_a_run_continues_the_runs_that_failed_right_before_it(runs, failed):
    assert [each.id for each in failed_before(3, marker(), runs)] == failed
