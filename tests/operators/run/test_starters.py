"""One run for a task over its tries, clears and neighbours: a real Airflow against the local dbt Cloud."""

from datetime import timedelta

import pytest
from airflow.sdk import DAG, get_current_context, task

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from airflow_dbt_cloud.operators.run import starters, task_state
from dbtcloud.client.marker import Marker
from moments import in_a_moment

pytestmark = pytest.mark.usefixtures("jobs", "moments")  # which end in the reverse order

WAITS = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])
ONE_RUN = "*/runs/*[0-9]/"
INSTANTLY = {"id": 53, "name": "Endless", "pretend": {}}


@pytest.fixture
def tries(build, jobs):
    """Runs the operator whose first try loses sight of its run; `between` happens before the second."""

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
    """How the runs stand, oldest first."""
    return [run["status"] for run in jobs.runs()]


def all_end(jobs):
    return lambda _: jobs.control.advance(40_000)


def cancels(jobs):
    def act(_):
        jobs.cancel(jobs.runs()[-1]["id"])

    return act


@WAITS
def test_a_retry_goes_on_with_the_run_that_goes_and_says_so(tries, jobs, deferrable):
    def between(context):
        looks = len(jobs.asked("GET", "/runs/"))
        in_a_moment(lambda: len(jobs.asked("GET", "/runs/")) > looks + 2, lambda: all_end(jobs)(None))

    outcome = tries(between=between, deferrable=deferrable)
    assert outcome.state == "success"
    (run,) = jobs.runs()
    assert outcome.xcoms("build")["return_value"] == run["id"]
    assert f"Adopting run {run['id']}: try 1 of this task started it, and it is still running." in outcome.log


@WAITS
def test_a_retry_takes_the_success_of_the_earlier_try(tries, jobs, deferrable):
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
    """From now on the endless job ends at once; its runs go on as they are."""
    jobs.control.seed(jobs=[INSTANTLY])


@pytest.mark.parametrize("ended", [False, True], ids=["goes on", "succeeded"])
def test_on_retry_rerun_starts_a_new_run_and_leaves_none_going(tries, jobs, ended):
    def between(context):
        again(jobs)
        if ended:
            jobs.control.advance(40_000)

    outcome = tries(between=between, on_retry="rerun")
    assert outcome.state == "success"
    assert ends(jobs) == [10 if ended else 30, 10]
    assert "Starting a new run: on_retry is 'rerun'." in outcome.log


class Publishes(DbtCloudRunJobOperator):
    """Does more after a run than ours: another's success is not enough for it."""

    def execute(self, context):
        return super().execute(context)


class PublishesLater(DbtCloudRunJobOperator):
    def execute_complete(self, context, event=None):
        return super().execute_complete(context, event)


@pytest.mark.parametrize("operator", [Publishes, PublishesLater])
def test_a_subclass_with_more_to_do_takes_no_success_but_what_goes_on(tries, jobs, operator):
    tries(operator, between=all_end(jobs), job="quick")
    assert ends(jobs) == [10, 10]


@pytest.mark.parametrize("operator", [Publishes, PublishesLater])
def test_a_subclass_with_more_to_do_goes_on_with_what_goes(tries, jobs, operator):
    outcome = tries(operator, timeout=0.3)
    assert ": try 1 of this task started it, and it is still running." in outcome.log
    assert ends(jobs) == [3]


@WAITS
def test_a_run_that_was_taken_and_ends_cancelled_is_replaced_by_one_new_run(tries, jobs, deferrable):
    def between(context):
        again(jobs)
        looks = len(jobs.asked("GET", "/runs/"))
        in_a_moment(lambda: len(jobs.asked("GET", "/runs/")) > looks + 2, lambda: cancels(jobs)(None))

    outcome = tries(between=between, deferrable=deferrable)
    assert outcome.state == "success"
    assert ends(jobs) == [30, 10]
    assert "of an earlier try was cancelled; starting a new one." in outcome.log
    assert outcome.xcoms("build")["return_value"] == jobs.runs()[1]["id"]


@WAITS
def test_the_run_that_replaces_it_is_not_replaced_again(tries, jobs, deferrable):
    def between(context):
        jobs.control.seed(jobs=[{**INSTANTLY, "pretend": {"outcome": 30}}])
        looks = len(jobs.asked("GET", "/runs/"))
        in_a_moment(lambda: len(jobs.asked("GET", "/runs/")) > looks + 2, lambda: cancels(jobs)(None))

    outcome = tries(between=between, deferrable=deferrable)
    assert outcome.state == "failed"
    assert ends(jobs) == [30, 30]


@pytest.mark.parametrize("policy", ["queue", "attach", "skip", "fail", "cancel"])
def test_a_clear_starts_anew_and_leaves_no_earlier_run_going(tries, jobs, policy):
    """A clear shows in max_tries. What was just cancelled may be listed as running for a while."""

    def cleared(context):
        again(jobs)
        context["ti"].max_tries += 2

    outcome = tries(between=cleared, if_running=policy)
    assert outcome.state == "success"
    assert ends(jobs) == [30, 10]
    assert "an earlier try started it, and this try does not follow it" in outcome.log


@pytest.mark.parametrize("policy", ["attach", "skip", "fail", "cancel"])
def test_what_was_just_cancelled_does_not_count_as_running(tries, jobs, policy):
    def cleared(context):
        again(jobs)
        context["ti"].max_tries += 2
        envelope = '{"status": {"code": 200}, "data": {"id": 1, "status": 3}}'
        jobs.control.add_fault("status", status=200, body=envelope, route="*/cancel/")

    outcome = tries(between=cleared, if_running=policy)
    assert outcome.state == "success"
    assert ends(jobs) == [3, 10]


def test_a_task_attaches_to_a_run_behind_those_that_it_has_just_cancelled(tries, jobs):
    """Somebody's run is older than that of try 1, which is cancelled but still listed as running."""
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


def test_a_retry_that_asks_for_something_else_cancels_what_goes(tries, jobs):
    outcome = tries(between=lambda _: again(jobs), git_branch="try-{{ ti.try_number }}")
    assert outcome.state == "success"
    assert ends(jobs) == [30, 10]


@pytest.mark.parametrize("on_retry", ["adopt", "rerun"])
def test_a_retry_that_somebody_else_asked_for_is_left_alone(tries, jobs, on_retry):
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
def test_several_starts_in_a_task_of_ones_own_do_not_cancel_each_other(
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


def test_what_may_have_begun_is_taken_by_the_next_try(build, jobs):
    """The answer is lost, and runs cannot be listed: the first try does not know, and asks no second time."""
    jobs.control.add_fault("status", after_acting=True, route="*/run/", method="POST")
    jobs.control.add_fault("status", status=403, route="*/runs/", method="GET", count=1)
    outcome = build(job_id=jobs.quick, retries=1, retry_delay=timedelta(0))
    assert outcome.state == "success"
    assert len(jobs.runs()) == len(jobs.asked("POST", "/run/")) == 1
    assert "so the request was not sent again" in outcome.log


def test_what_was_asked_for_when_its_try_ended_is_looked_for_until_it_is_sure(build, jobs, monkeypatch):
    """dbt Cloud is slow to act; try 1 is over before, and so is all that it has for finding its run."""
    monkeypatch.setattr(starters, "_KILL_SEARCH_DELAYS", (0.0,))
    monkeypatch.setattr(starters, "SEARCH_DELAYS", (1.0, 2.0, 4.0))
    jobs.control.add_fault("delay", seconds=4, route="*/run/", method="POST", count=1)

    def limit(context):
        context["task"].execution_timeout = timedelta(seconds=1.5) if context["ti"].try_number == 1 else None

    outcome = build(job_id=jobs.instant, retries=1, retry_delay=timedelta(0), pre_execute=limit)
    assert outcome.state == "success"
    assert "The run that an earlier try requested is not listed yet; searching again in 1 s." in outcome.log
    assert ends(jobs) == [10]


def test_a_start_that_was_refused_is_not_looked_for(build, jobs):
    jobs.control.add_fault("status", status=403, route="*/run/", method="POST", count=1)
    outcome = build(job_id=jobs.instant, retries=1, retry_delay=timedelta(0))
    assert (outcome.state, ends(jobs)) == ("success", [10])
    assert "is not listed yet" not in outcome.log


def test_a_lost_answer_does_not_start_a_second_run(build, jobs):
    jobs.control.add_fault("reset", after_acting=True, route="*/run/", method="POST", count=1)
    outcome = build(job_id=jobs.instant)
    assert outcome.state == "success"
    assert [outcome.xcoms("build")["job_run_id"]] == [run["id"] for run in jobs.runs()]


def test_a_failed_run_is_gone_on_with_and_that_is_found_again(tries, jobs):
    """Try 2 retries try 1's run from its failure and loses sight of that; try 3 takes it."""

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


GOING_POLICIES = {
    "queue": ("failed", [3, 3], ""),
    "attach": ("failed", [3], "and if_running is 'attach'"),
    "skip": ("skipped", [3], "and if_running is 'skip'"),
    "fail": ("failed", [3], "and if_running is 'fail'. Wait for it, or choose another if_running."),
    "cancel": ("failed", [30, 3], "and if_running is 'cancel'"),
}


@pytest.mark.parametrize("policy", GOING_POLICIES)
def test_what_is_done_where_the_job_runs_already(build, jobs, policy):
    going = jobs.started(jobs.endless)
    state, statuses, reason = GOING_POLICIES[policy]
    outcome = build(job_id=jobs.endless, if_running=policy, timeout=0.3)
    assert (outcome.states["build"], ends(jobs)) == (state, statuses)
    assert reason in outcome.log
    assert not reason or f"Job {jobs.endless} is running already: run {going} is running" in outcome.log


@pytest.mark.parametrize("policy", GOING_POLICIES)
def test_where_it_does_not_run_every_policy_starts_it(build, jobs, policy):
    jobs.started(jobs.instant)
    assert build(job_id=jobs.instant, if_running=policy).state == "success"
    assert ends(jobs) == [10, 10]


def test_reuse_existing_run_is_attach(jobs):
    operator = DbtCloudRunJobOperator(task_id="build", job_id=jobs.endless, reuse_existing_run=True)
    assert operator.if_running == "attach"


@pytest.mark.parametrize("wrong", [{"if_running": "wait"}, {"on_retry": "again"}])
def test_a_policy_that_is_not_known_is_refused(wrong):
    with pytest.raises(ValueError, match="It has to be one of"):
        DbtCloudRunJobOperator(task_id="build", job_id=1, **wrong)


@WAITS
def test_a_run_that_was_only_attached_to_is_cancelled_by_no_timeout(build, jobs, deferrable):
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
def test_the_timeout_cancels_only_where_wanted(build, jobs, deferrable, cancel):
    outcome = build(job_id=jobs.endless, timeout=0.3, cancel_on_timeout=cancel, deferrable=deferrable)
    assert outcome.state == "failed"
    assert ends(jobs) == [30 if cancel else 3]


@WAITS
def test_the_execution_timeout_does_not_wait_for_the_next_look(build, jobs, deferrable):
    build(
        job_id=jobs.endless,
        deferrable=deferrable,
        execution_timeout=timedelta(seconds=1.5),
        check_interval=60,
    )
    (start,), (cancel,) = jobs.asked("POST", "/run/"), jobs.asked("POST", "/cancel/")
    assert (cancel["instant"] - start["instant"]) / 1e6 < 30
    assert ends(jobs) == [30]


def test_a_deadline_too_near_for_the_triggerer_is_waited_for_on_the_worker(build, jobs, monkeypatch):
    monkeypatch.setattr("airflow_dbt_cloud.tasks.deferral.FIRST_POLL_DELAY", 6.0)
    outcome = build(job_id=jobs.quick, deferrable=True, timeout=5, check_interval=0.1)
    assert outcome.state == "success"
    assert "running trigger in line" not in outcome.log
