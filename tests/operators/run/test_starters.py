"""A task has one run over all its tries and clears: a real Airflow against the local dbt Cloud."""

from datetime import timedelta

import pytest
from airflow.sdk import DAG, get_current_context, task

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.operators.run import earlier_runs, starters, task_state
from dbtcloud.client.marker import Marker
from moments import in_a_moment

pytestmark = pytest.mark.usefixtures("jobs", "moments")  # which end in the reverse order

WAITS = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])
ONE_RUN = "*/runs/*[0-9]/"
INSTANTLY = {"id": 53, "name": "Endless", "pretend": {}}


@pytest.fixture
def tries(build, jobs):
    """Runs the operator whose first try loses contact with its run; `between` is called before the second."""

    def run(operator=DbtCloudRunJobOperator, between=lambda context: None, job="endless", **arguments):
        def before(context):
            if context["ti"].try_number == 1:
                jobs.control.add_fault("status", status=400, route=ONE_RUN, method="GET", count=1)
            else:
                between(context)

        again = {"retries": 1, "retry_delay": timedelta(0), "pre_execute": before}
        return build(operator, job_id=getattr(jobs, job), **{**again, "timeout": 20, **arguments})

    return run


def ends(jobs):
    """Return the status of each run, oldest first."""
    return [run["status"] for run in jobs.runs()]


def all_end(jobs):
    return lambda _: jobs.control.advance(40_000)


def cancels(jobs):
    def act(_):
        jobs.cancel(jobs.runs()[-1]["id"])

    return act


@WAITS
def test_a_retry_adopts_the_running_run_and_logs_it(tries, jobs, deferrable):
    def between(context):
        polls = len(jobs.asked("GET", "/runs/"))
        in_a_moment(lambda: len(jobs.asked("GET", "/runs/")) > polls + 2, lambda: all_end(jobs)(None))

    outcome = tries(between=between, deferrable=deferrable)
    assert outcome.state == "success"
    (run,) = jobs.runs()
    assert outcome.xcoms("build")["return_value"] == run["id"]
    assert f"Adopting run {run['id']}: try 1 of this task started it, and it is still running." in outcome.log


@WAITS
def test_a_retry_adopts_the_success_of_the_earlier_try(tries, jobs, deferrable):
    outcome = tries(between=all_end(jobs), deferrable=deferrable)
    (run,) = jobs.runs()
    assert outcome.xcoms("build")["return_value"] == run["id"]
    assert f"Adopting run {run['id']}: try 1 of this task started it, and it succeeded." in outcome.log


@pytest.mark.parametrize(("job", "status"), [("failing", 20), ("cancelled", 30)])
def test_after_a_failed_or_cancelled_run_a_retry_starts_a_new_one(tries, jobs, job, status):
    outcome = tries(between=all_end(jobs), job=job)
    assert ends(jobs) == [status, status]
    assert "Starting a new run: no earlier try of this task left a run to adopt." in outcome.log
    first, second = (Marker.find(trigger["cause"]) for trigger in jobs.triggers())
    assert (first.task, first.attempt, second.attempt) == (second.task, 1, 2)


def again(jobs):
    """Let new runs of the endless job end at once; its earlier runs keep running."""
    jobs.control.seed(jobs=[INSTANTLY])


@pytest.mark.parametrize("ended", [False, True], ids=["still running", "succeeded"])
def test_on_retry_rerun_starts_a_new_run_and_leaves_no_other_running(tries, jobs, ended):
    def between(context):
        again(jobs)
        if ended:
            jobs.control.advance(40_000)

    outcome = tries(between=between, on_retry="rerun")
    assert outcome.state == "success"
    assert ends(jobs) == [10 if ended else 30, 10]
    assert "Starting a new run: on_retry is 'rerun'." in outcome.log


@pytest.mark.parametrize("durable", [True, False])
def test_durable_false_is_on_retry_rerun_and_is_logged(tries, jobs, durable):
    outcome = tries(between=lambda _: again(jobs), durable=durable, timeout=0.3 if durable else 20)
    assert ends(jobs) == ([3] if durable else [30, 10])
    assert ("durable is False, so a retry of this task may start a second run." in outcome.log) != durable


def test_durable_is_true_on_every_version(jobs):
    operator = DbtCloudRunJobOperator(task_id="build", job_id=jobs.endless)
    assert (operator.durable, operator.on_retry) == (True, "adopt")


class Publishes(DbtCloudRunJobOperator):
    """Does more after a run than our operator, so the success of an earlier try is not enough for it."""

    def execute(self, context):
        return super().execute(context)


class PublishesLater(DbtCloudRunJobOperator):
    def execute_complete(self, context, event=None):
        return super().execute_complete(context, event)


@pytest.mark.parametrize("operator", [Publishes, PublishesLater])
def test_a_subclass_with_more_to_do_does_not_adopt_a_success(tries, jobs, operator):
    tries(operator, between=all_end(jobs), job="quick")
    assert ends(jobs) == [10, 10]


@pytest.mark.parametrize("operator", [Publishes, PublishesLater])
def test_a_subclass_with_more_to_do_adopts_a_running_run(tries, jobs, operator):
    outcome = tries(operator, timeout=0.3)
    assert ": try 1 of this task started it, and it is still running." in outcome.log
    assert ends(jobs) == [3]


@WAITS
def test_an_adopted_run_that_ends_cancelled_is_replaced_by_a_new_run(tries, jobs, deferrable):
    def between(context):
        again(jobs)
        polls = len(jobs.asked("GET", "/runs/"))
        in_a_moment(lambda: len(jobs.asked("GET", "/runs/")) > polls + 2, lambda: cancels(jobs)(None))

    outcome = tries(between=between, deferrable=deferrable)
    assert outcome.state == "success"
    assert ends(jobs) == [30, 10]
    assert "of an earlier try was cancelled; starting a new one." in outcome.log
    assert outcome.xcoms("build")["return_value"] == jobs.runs()[1]["id"]


@WAITS
def test_a_replacement_that_ends_cancelled_is_not_replaced(tries, jobs, deferrable):
    def between(context):
        jobs.control.seed(jobs=[{**INSTANTLY, "pretend": {"outcome": 30}}])
        polls = len(jobs.asked("GET", "/runs/"))
        in_a_moment(lambda: len(jobs.asked("GET", "/runs/")) > polls + 2, lambda: cancels(jobs)(None))

    outcome = tries(between=between, deferrable=deferrable)
    assert outcome.state == "failed"
    assert ends(jobs) == [30, 30]


@pytest.mark.parametrize("policy", ["queue", "attach", "skip", "fail", "cancel"])
def test_a_clear_starts_a_new_run_and_leaves_no_earlier_run_running(tries, jobs, policy):
    """A clear raises max_tries. A run that was just cancelled may be listed as running for a while."""

    def cleared(context):
        again(jobs)
        context["ti"].max_tries += 2

    outcome = tries(between=cleared, if_running=policy)
    assert outcome.state == "success"
    assert ends(jobs) == [30, 10]
    assert "an earlier try started it, and this try does not follow it" in outcome.log


@pytest.mark.parametrize("policy", ["attach", "skip", "fail", "cancel"])
def test_runs_that_were_just_cancelled_do_not_count_as_running(tries, jobs, policy):
    def cleared(context):
        again(jobs)
        context["ti"].max_tries += 2
        envelope = '{"status": {"code": 200}, "data": {"id": 1, "status": 3}}'
        jobs.control.add_fault("status", status=200, body=envelope, route="*/cancel/")

    outcome = tries(between=cleared, if_running=policy)
    assert outcome.state == "success"
    assert ends(jobs) == [3, 10]


def test_a_task_attaches_to_a_run_older_than_those_that_it_has_just_cancelled(tries, jobs):
    """A run of somebody else is older than that of try 1, which is cancelled but still listed as running."""
    theirs = jobs.started(jobs.endless)

    def cleared(context):
        context["task"].if_running = "attach"
        context["ti"].max_tries += 2
        envelope = '{"status": {"code": 200}, "data": {"id": 1, "status": 3}}'
        jobs.control.add_fault("status", status=200, body=envelope, route="*/cancel/")

    outcome = tries(between=cleared, timeout=0.3)
    assert f"run {theirs} is running, and if_running is 'attach'" in outcome.log
    assert outcome.xcoms("build")["job_run_id"] == theirs
    assert ends(jobs) == [3, 3]


def test_a_retry_with_other_overrides_cancels_the_running_run(tries, jobs):
    outcome = tries(between=lambda _: again(jobs), git_branch="try-{{ ti.try_number }}")
    assert outcome.state == "success"
    assert ends(jobs) == [30, 10]


@pytest.mark.parametrize("on_retry", ["adopt", "rerun"])
def test_a_retry_by_somebody_else_is_neither_adopted_nor_cancelled(tries, jobs, on_retry):
    """Try 1's run fails, and an analyst retries it in dbt Cloud."""

    def between(context):
        jobs.control.advance(5)
        jobs.control.seed(jobs=[{"id": jobs.failing, "name": "Failing", "pretend": {"running": 36_000}}])
        jobs.retry(jobs.runs()[0]["id"])
        jobs.control.seed(jobs=[{"id": jobs.failing, "name": "Failing", "pretend": {}}])

    outcome = tries(between=between, job="failing", on_retry=on_retry)
    assert outcome.state == "success"
    assert ends(jobs) == [20, 3, 10]


@pytest.mark.parametrize("first_try", ["starts nothing", "starts all"])
def test_several_operators_in_a_python_task_do_not_cancel_each_others_runs(
    run_dag, jobs, prompt_triggers, first_try
):
    with DAG("fans_out", schedule=None) as dag:

        @task(retries=1, retry_delay=timedelta(0))
        def fan_out():
            context = get_current_context()
            if (first := context["ti"].try_number == 1) and first_try == "starts nothing":
                raise ValueError("Nothing was started.")
            ids = [started(step).execute(context) for step in ("dbt seed", "dbt run", "dbt test")]
            if first:
                task_state._STARTS.clear()  # the next try has a process of its own
                raise ValueError("All were started.")
            return ids

        def started(step):
            return DbtCloudRunJobOperator(
                task_id=step.replace(" ", "_"),
                job_id=jobs.endless,
                steps_override=[step],
                wait_for_termination=False,
                dag=None,
            )

        fan_out()
    outcome = run_dag(dag)
    assert outcome.xcoms("fan_out")["return_value"] == [run["id"] for run in jobs.runs()]
    assert ends(jobs) == [3, 3, 3]


def test_a_run_that_may_have_started_is_adopted_by_the_next_try(build, jobs):
    """The response is lost, and runs cannot be listed, so the first try does not send a second request."""
    jobs.control.add_fault("status", after_acting=True, route="*/run/", method="POST")
    jobs.control.add_fault("status", status=403, route="*/runs/", method="GET", count=1)
    outcome = build(job_id=jobs.quick, retries=1, retry_delay=timedelta(0))
    assert outcome.state == "success"
    assert len(jobs.runs()) == len(jobs.asked("POST", "/run/")) == 1
    assert "so the request was not sent again" in outcome.log


def test_a_retry_searches_for_a_run_whose_try_ended_before_the_response(build, jobs, monkeypatch):
    """dbt Cloud starts the run only after try 1 has ended and given up its search."""
    monkeypatch.setattr(starters, "_KILL_SEARCH_DELAYS", (0.0,))
    monkeypatch.setattr(earlier_runs, "SEARCH_DELAYS", (1.0, 2.0, 4.0))
    jobs.control.add_fault("delay", seconds=4, route="*/run/", method="POST", count=1)

    def limit(context):
        context["task"].execution_timeout = timedelta(seconds=1.5) if context["ti"].try_number == 1 else None

    outcome = build(job_id=jobs.instant, retries=1, retry_delay=timedelta(0), pre_execute=limit)
    assert outcome.state == "success"
    assert "The run that an earlier try requested is not listed yet; searching again in 1 s." in outcome.log
    assert ends(jobs) == [10]


def test_a_retry_does_not_search_for_a_start_that_was_refused(build, jobs):
    jobs.control.add_fault("status", status=403, route="*/run/", method="POST", count=1)
    outcome = build(job_id=jobs.instant, retries=1, retry_delay=timedelta(0))
    assert (outcome.state, ends(jobs)) == ("success", [10])
    assert "is not listed yet" not in outcome.log


def test_a_lost_response_does_not_start_a_second_run(build, jobs):
    jobs.control.add_fault("reset", after_acting=True, route="*/run/", method="POST", count=1)
    outcome = build(job_id=jobs.instant)
    assert outcome.state == "success"
    assert [outcome.xcoms("build")["job_run_id"]] == [run["id"] for run in jobs.runs()]


def test_a_failed_run_is_retried_and_the_next_try_adopts_that_retry(tries, jobs):
    """Try 2 retries try 1's run from its failure and loses contact with the retry; try 3 adopts it."""

    def between(context):
        if context["ti"].try_number == 2:
            jobs.control.advance(5)
            jobs.control.seed(jobs=[{"id": jobs.failing, "name": "Failing", "pretend": {"running": 36_000}}])
            retry = jobs.runs()[0]["id"] + 1
            jobs.control.add_fault("status", status=400, route=f"*/runs/{retry}/", method="GET", count=1)
        else:
            jobs.control.advance(40_000)

    outcome = tries(between=between, job="failing", retries=2, retry_from_failure=True)
    first, second = jobs.runs()
    assert second["retrying_run_id"] == first["id"]
    assert (outcome.state, second["status"]) == ("success", 10)


POLICIES = {
    "queue": ("failed", [3, 3], ""),
    "attach": ("failed", [3], "and if_running is 'attach'"),
    "skip": ("skipped", [3], "and if_running is 'skip'"),
    "fail": ("failed", [3], "and if_running is 'fail'. Wait for it, or choose another if_running."),
    "cancel": ("failed", [30, 3], "and if_running is 'cancel'"),
}


@pytest.mark.parametrize("policy", POLICIES)
def test_if_running_decides_what_happens_while_the_job_is_running(build, jobs, policy):
    running = jobs.started(jobs.endless)
    state, statuses, reason = POLICIES[policy]
    outcome = build(job_id=jobs.endless, if_running=policy, timeout=0.3)
    assert (outcome.states["build"], ends(jobs)) == (state, statuses)
    assert reason in outcome.log
    assert not reason or f"Job {jobs.endless} is running already: run {running} is running" in outcome.log


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_starts_a_run_while_the_job_is_not_running(build, jobs, policy):
    jobs.started(jobs.instant)
    assert build(job_id=jobs.instant, if_running=policy).state == "success"
    assert ends(jobs) == [10, 10]


def test_reuse_existing_run_is_attach(jobs):
    operator = DbtCloudRunJobOperator(task_id="build", job_id=jobs.endless, reuse_existing_run=True)
    assert operator.if_running == "attach"


@pytest.mark.parametrize("wrong", [{"if_running": "wait"}, {"on_retry": "again"}])
def test_an_unknown_policy_is_refused(wrong):
    with pytest.raises(ValueError, match="It has to be one of"):
        DbtCloudRunJobOperator(task_id="build", job_id=1, **wrong)


@WAITS
def test_a_timeout_does_not_cancel_a_run_that_was_only_attached_to(build, jobs, deferrable):
    jobs.started(jobs.endless)
    outcome = build(
        job_id=jobs.endless,
        if_running="attach",
        deferrable=deferrable,
        execution_timeout=timedelta(seconds=1),
        cancel_on_timeout=True,
    )
    assert outcome.state == "failed"
    assert ends(jobs) == [3]
    assert jobs.asked("POST", "/cancel/") == []


@WAITS
@pytest.mark.parametrize("cancel", [False, True])
def test_the_timeout_cancels_only_with_cancel_on_timeout(build, jobs, deferrable, cancel):
    outcome = build(job_id=jobs.endless, timeout=0.3, cancel_on_timeout=cancel, deferrable=deferrable)
    assert outcome.state == "failed"
    assert ends(jobs) == [30 if cancel else 3]


@WAITS
def test_the_execution_timeout_does_not_wait_for_the_next_poll(build, jobs, deferrable):
    build(
        job_id=jobs.endless,
        deferrable=deferrable,
        execution_timeout=timedelta(seconds=1.5),
        check_interval=60,
    )
    (start,), (cancel,) = jobs.asked("POST", "/run/"), jobs.asked("POST", "/cancel/")
    assert (cancel["instant"] - start["instant"]) / 1e6 < 30
    assert ends(jobs) == [30]
