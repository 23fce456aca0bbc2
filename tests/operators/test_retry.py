"""A failed run is continued where it failed: by a retry of its task, or by the retry operator."""

import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import requests

from airflow_dbt_cloud.operators.dbt import (
    DbtCloudJobRunException,
    DbtCloudRetryJobRunOperator,
    DbtCloudRunJobOperator,
)
from dbtcloud.client.marker import Marker
from moments import in_a_moment

pytestmark = pytest.mark.usefixtures("jobs", "moments")  # which end in the reverse order

WAITS = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])
ONE_RUN = "*/runs/*[0-9]/"
AGAIN = {"retries": 1, "retry_delay": timedelta(0)}

COMMAND = """dbt build -s tag:nightly --vars '{"x": "-s a"}'"""
RESULTS = {
    "results": [
        {"unique_id": "model.shop.orders", "status": "error"},
        {"unique_id": "model.shop.late", "status": "skipped"},
        {"unique_id": "model.shop.rates", "status": "success"},
    ]
}
NARROWED = (
    """dbt build --vars '{"x": "-s a"}' --select fqn:late,package:shop,file:late,resource_type:model """
    "fqn:orders,package:shop,file:orders,resource_type:model --indirect-selection empty"
)


def shop(outcome=20, running=0.1, artifacts=None):
    """A job of two commands, of which the first one fails."""
    step = {"name": f"Invoke dbt with `{COMMAND}`", "command": COMMAND, "outcome": outcome}
    kept = {"run_results.json": RESULTS} if artifacts is None else artifacts
    pretend = {"running": running, "outcome": outcome, "steps": [step], "artifacts": kept}
    return {"id": 60, "name": "Shop", "execute_steps": [COMMAND, "dbt test"], "pretend": pretend}


@pytest.fixture
def shop_job(jobs):
    jobs.control.seed(jobs=[shop()])
    return 60


@pytest.fixture
def failed(jobs, shop_job):
    """A run that failed."""
    run = jobs.started(shop_job, schema_override="tuesday")
    jobs.control.advance(5)
    return run


@pytest.fixture
def retry(build):
    def run(run_id, **arguments):
        return build(DbtCloudRetryJobRunOperator, run_id=run_id, **{"timeout": 20, **arguments})

    return run


def mended(jobs, **fields):
    """Let runs of the job succeed from now on."""
    jobs.control.seed(jobs=[shop(10, **fields)])


def chain(jobs):
    """Return how each run of the job ended, and the position of the run that it retries."""
    runs = jobs.runs()
    places = {run["id"]: place for place, run in enumerate(runs)}
    return [(run["status"], places.get(run["retrying_run_id"])) for run in runs]


def refuse_lists_after_a_retry(jobs):
    """The response to the retry is lost, and it stays unknown whether the retry started."""
    jobs.control.add_fault("reset", after_acting=True, route="*/retry/", method="POST", count=1)
    refusal = {"status": 403, "route": "*/runs/", "method": "GET", "count": 1}
    in_a_moment(lambda: jobs.asked("POST", "/retry/"), lambda: jobs.control.add_fault("status", **refusal))


def ends_once_it_is_waited_for(jobs):
    """The running run ends after some polls."""
    polls = len(jobs.asked("GET", "/runs/"))
    some = 3  # the run, the list, and the first poll
    in_a_moment(lambda: len(jobs.asked("GET", "/runs/")) > polls + some, lambda: jobs.control.advance(40_000))


class TestTheRunOperator:
    def test_a_retry_shows_its_plan_before_it_starts_anything(self, build, jobs, shop_job):
        outcome = build(job_id=shop_job, retry_from_failure=True, **AGAIN)
        first = jobs.runs()[0]["id"]
        expected = [
            f"Retry plan of run {first}: 2 nodes, 2 commands.",
            "error    model orders",
            "skipped  model late",
            NARROWED,
            "dbt test",
            f"Retrying run {first} from its failure, with the overrides of that run.",
        ]
        places = [outcome.log.index(text) for text in expected]
        assert places == sorted(places)
        assert chain(jobs) == [(20, None), (20, 0)]

    def test_each_further_try_retries_the_latest_run_of_the_chain(self, build, jobs, shop_job):
        build(job_id=shop_job, retry_from_failure=True, retries=3, retry_delay=timedelta(0))
        assert chain(jobs) == [(20, None), (20, 0), (20, 1), (20, 2)]

    def test_the_overrides_of_the_first_try_are_kept(self, build, jobs, shop_job):
        build(job_id=shop_job, retry_from_failure=True, schema_override="tuesday", **AGAIN)
        assert [trigger["schema_override"] for trigger in jobs.triggers()] == ["tuesday"] * 2

    def test_a_try_with_other_overrides_starts_a_new_run(self, build, jobs, shop_job):
        schema = "try_{{ ti.try_number }}"
        build(job_id=shop_job, retry_from_failure=True, schema_override=schema, **AGAIN)
        assert chain(jobs) == [(20, None), (20, None)]
        assert [trigger["schema_override"] for trigger in jobs.triggers()] == ["try_1", "try_2"]

    def test_where_dbt_cloud_cannot_retry_the_log_says_why_and_a_new_run_is_started(self, build, jobs):
        jobs.control.seed(jobs=[shop(artifacts={})])
        outcome = build(job_id=60, retry_from_failure=True, **AGAIN)
        assert chain(jobs) == [(20, None), (20, None)]
        first = jobs.runs()[0]["id"]
        assert (
            f"Run {first} cannot be retried from its point of failure. It has no run_results.json"
            in outcome.log
        )
        assert Marker.find(jobs.triggers()[1]["cause"]).attempt == 2

    def test_a_failed_run_of_somebody_else_is_not_retried(self, build, jobs, shop_job):
        def between(context):
            if context["ti"].try_number == 2:
                jobs.started(shop_job)
                jobs.control.advance(5)

        outcome = build(job_id=shop_job, retry_from_failure=True, pre_execute=between, **AGAIN)
        assert chain(jobs) == [(20, None)] * 3
        assert "Its job has been started again since" in outcome.log
        assert jobs.asked("POST", "/retry/") == []

    def test_steps_execute_the_plan_where_dbt_cloud_cannot_retry(self, build, jobs, shop_job):
        def between(context):
            if context["ti"].try_number == 2:
                jobs.started(shop_job)
                jobs.control.advance(5)

        arguments = {"retry_from_failure": "steps", "schema_override": "tuesday", "pre_execute": between}
        outcome = build(job_id=shop_job, **arguments, **AGAIN)
        *_, last = jobs.triggers()
        assert last["steps_override"] == [NARROWED, "dbt test"]
        assert last["schema_override"] == "tuesday"
        assert "Starting a new run with the commands of its retry plan." in outcome.log

    def test_a_run_of_a_plan_is_found_by_the_next_try(self, build, jobs, shop_job):
        """Its marker is that of the task, whatever steps it has."""

        def between(context):
            if context["ti"].try_number == 2:
                jobs.started(shop_job)
                jobs.control.advance(5)
                mended(jobs, running=36_000)
                lost = {"status": 400, "route": ONE_RUN, "method": "GET", "count": 1}
                starts = len(jobs.asked("POST", "/run/"))
                in_a_moment(
                    lambda: len(jobs.asked("POST", "/run/")) > starts,
                    lambda: jobs.control.add_fault("status", **lost),
                )
            if context["ti"].try_number == 3:
                ends_once_it_is_waited_for(jobs)

        arguments = {"retry_from_failure": "steps", "pre_execute": between, "retries": 2}
        outcome = build(job_id=shop_job, retry_delay=timedelta(0), **arguments)
        assert outcome.state == "success"
        assert len(jobs.runs()) == 3
        assert ": try 2 of this task started it, and it is still running" in outcome.log

    def test_a_lost_response_to_the_retry_leads_to_one_retry(self, build, jobs, shop_job):
        jobs.control.add_fault("reset", after_acting=True, route="*/retry/", method="POST", count=1)
        build(job_id=shop_job, retry_from_failure=True, **AGAIN)
        assert chain(jobs) == [(20, None), (20, 0)]

    def test_a_retry_whose_task_died_is_found_by_the_next_try(self, build, jobs, shop_job):
        """The answer is lost, and runs cannot be listed: try 2 does not know what try 3 finds."""

        def between(context):
            if context["ti"].try_number == 2:
                mended(jobs)
                refuse_lists_after_a_retry(jobs)

        arguments = {"retry_from_failure": True, "retries": 2, "retry_delay": timedelta(0)}
        outcome = build(job_id=shop_job, pre_execute=between, **arguments)
        assert outcome.state == "success"
        assert chain(jobs) == [(20, None), (10, 0)]
        assert "so the request was not sent again" in outcome.log

    def test_an_unreadable_plan_does_not_prevent_the_retry(self, build, jobs, shop_job):
        jobs.control.add_fault("status", status=403, route="*/artifacts/run_results.json")
        outcome = build(job_id=shop_job, retry_from_failure=True, **AGAIN)
        assert chain(jobs) == [(20, None), (20, 0)]
        assert "Could not read what a retry of run" in outcome.log

    @pytest.mark.parametrize("wrong", ["always", ""])
    def test_any_other_text_than_steps_is_refused(self, build, wrong):
        with pytest.raises(ValueError, match="retry_from_failure is"):
            build(job_id=1, retry_from_failure=wrong)


@pytest.mark.dbt
def test_a_real_retry_executes_exactly_what_failed_or_was_skipped(build, jobs, dbt_cloud):
    def results(run):
        path = f"/api/v2/accounts/1/runs/{run['id']}/artifacts/run_results.json"
        headers = {"Authorization": f"Token {dbt_cloud.token}"}
        answer = requests.get(dbt_cloud.url + path, headers=headers, timeout=10)
        return {each["unique_id"]: each["status"] for each in answer.json()["results"]}

    failing_build = 4
    outcome = build(job_id=failing_build, retry_from_failure=True, **AGAIN)
    first, second = jobs.runs()
    assert second["retrying_run_id"] == first["id"]
    left = {name for name, status in results(first).items() if status in {"error", "fail", "skipped"}}
    assert {name.split(".")[2] for name in left} == {"burnt_batches", "burnt_losses", "no_sale_on_a_sunday"}
    assert set(results(second)) == left
    assert f"Retry plan of run {first['id']}: 3 nodes, 1 command." in outcome.log


class TestTheRetryOperator:
    @WAITS
    def test_a_failed_run_is_retried_and_waited_for(self, retry, jobs, failed, deferrable):
        mended(jobs, running=1)
        outcome = retry(failed, deferrable=deferrable)
        assert outcome.state == "success"
        new = jobs.runs()[-1]
        assert chain(jobs) == [(20, None), (10, 0)]
        assert new["trigger"]["schema_override"] == "tuesday"
        xcoms = outcome.xcoms("build")
        assert xcoms["return_value"] == xcoms["job_run_id"] == new["id"]
        assert xcoms["job_run_url"] == new["href"]
        assert xcoms["dbt_run_report"]["run_id"] == new["id"]
        assert outcome.log.index(NARROWED) < outcome.log.index(f"dbt Cloud run {new['id']} of job 60")

    @WAITS
    def test_a_failed_retry_fails_the_task(self, retry, jobs, failed, deferrable):
        outcome = retry(str(failed), deferrable=deferrable)
        assert outcome.state == "failed"
        assert f"Job run {jobs.runs()[-1]['id']} has failed." in outcome.log
        assert "model orders" in outcome.log

    def test_the_task_need_not_wait_for_the_retry(self, retry, jobs, failed):
        mended(jobs, running=36_000)
        assert retry(failed, wait_for_termination=False).state == "success"
        assert chain(jobs) == [(20, None), (3, 0)]

    @pytest.mark.parametrize(
        ("job", "why"),
        [
            ("endless", "It is running"),
            ("instant", "It ended with Success"),
            ("cancelled", "It ended with Cancelled"),
        ],
    )
    def test_a_run_that_did_not_fail_is_refused_with_the_reason(self, retry, jobs, job, why):
        run = jobs.started(getattr(jobs, job))
        jobs.control.advance(5)
        outcome = retry(run)
        assert outcome.state == "failed"
        assert f"Run {run} cannot be retried from its point of failure. {why}" in outcome.log
        assert len(jobs.runs()) == 1

    def test_a_run_that_is_not_the_latest_is_refused_with_advice(self, retry, jobs, failed):
        jobs.started(60)
        outcome = retry(failed)
        assert outcome.state == "failed"
        assert "Its job has been started again since" in outcome.log
        assert "or with the commands of the retry plan as steps_override." in outcome.log
        assert len(jobs.runs()) == 2

    def test_a_retry_of_the_task_retries_the_latest_run_of_the_chain(self, retry, jobs, failed):
        retry(failed, retries=2, retry_delay=timedelta(0))
        assert chain(jobs) == [(20, None), (20, 0), (20, 1), (20, 2)]

    @pytest.mark.parametrize(
        ("how", "deferrable"),
        [("succeeded", False), ("succeeded", True), ("is still running", False), ("is still running", True)],
    )
    def test_a_retry_of_the_task_adopts_the_run_of_an_earlier_try(self, retry, jobs, failed, how, deferrable):
        def before(context):
            if context["ti"].try_number == 1:
                refuse_lists_after_a_retry(jobs)
            elif how == "succeeded":
                jobs.control.advance(40_000)
            else:
                ends_once_it_is_waited_for(jobs)

        mended(jobs, running=36_000)
        outcome = retry(failed, pre_execute=before, deferrable=deferrable, **AGAIN)
        assert outcome.state == "success"
        assert chain(jobs) == [(20, None), (10, 0)]
        assert f": it retries run {failed}, and {how}." in outcome.log

    def test_a_lost_response_leads_to_one_retry(self, retry, jobs, failed):
        mended(jobs)
        jobs.control.add_fault("reset", after_acting=True, route="*/retry/", method="POST", count=1)
        assert retry(failed).state == "success"
        assert chain(jobs) == [(20, None), (10, 0)]

    @WAITS
    def test_the_execution_timeout_cancels_the_new_run(self, retry, jobs, failed, deferrable):
        mended(jobs, running=36_000)
        retry(failed, execution_timeout=timedelta(seconds=3), deferrable=deferrable)
        assert chain(jobs) == [(20, None), (30, 0)]

    def test_the_run_id_can_be_a_template(self, retry, jobs, failed):
        mended(jobs)
        assert retry(f"{{{{ {failed} }}}}").state == "success"

    @pytest.mark.parametrize("nothing", [None, "", "{{ none }}"])
    def test_an_empty_run_id_is_refused(self, retry, jobs, nothing):
        assert "run_id is empty" in retry(nothing).log
        assert jobs.control.requests() == []


class TestAKilledTask:
    """A retry without a response yet is found by the run that it retries, and cancelled."""

    def killed_while_retrying(self, jobs, operator, context):
        jobs.control.add_fault("delay", seconds=2, after_acting=True, route="*/retry/", method="POST")
        outcome = []

        def execute():
            with pytest.raises(DbtCloudJobRunException, match="killed while it was starting") as caught:
                operator.execute(context)
            outcome.append(caught.value)

        thread = threading.Thread(target=execute, daemon=True)
        thread.start()
        give_up = time.monotonic() + 20
        while not jobs.asked("POST", "/retry/"):
            assert time.monotonic() < give_up
            time.sleep(0.02)
        operator.on_kill()
        assert chain(jobs)[-1] == (30, 0)
        thread.join(15)
        assert outcome

    def context(self, attempt):
        fields = {"dag_id": "d", "run_id": "killed", "task_id": "build", "map_index": -1, "max_tries": 2}
        return {
            "ti": SimpleNamespace(**fields, try_number=attempt, xcom_push=lambda **_: None),
            "dag_run": SimpleNamespace(start_date=datetime.now(UTC) - timedelta(minutes=1)),
        }

    def test_of_the_retry_operator_leaves_no_retry_running(self, jobs, failed):
        mended(jobs, running=36_000)
        operator = DbtCloudRetryJobRunOperator(task_id="build", run_id=failed)
        self.killed_while_retrying(jobs, operator, self.context(1))

    def test_of_the_run_operator_leaves_no_retry_running(self, jobs, shop_job):
        operator = DbtCloudRunJobOperator(task_id="build", job_id=shop_job, retry_from_failure=True)
        first, second = self.context(1), self.context(2)
        second["dag_run"] = first["dag_run"]
        jobs.control.add_fault("status", status=400, route=ONE_RUN, method="GET", count=1)
        with pytest.raises(Exception, match="400"):
            operator.execute(first)
        jobs.control.advance(5)
        mended(jobs, running=36_000)
        self.killed_while_retrying(jobs, operator, second)
