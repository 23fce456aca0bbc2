"""One function that runs a job, and one that returns the status of a run."""

import signal
import threading

import pytest

from dbtcloud import get_dbt_cloud_run_status, run_dbt_cloud_job
from dbtcloud.errors import InvalidArgument, LookupFailed, RunFailed, RunTimedOut
from dbtcloud.resources.client import DbtCloudClient

RESULTS = {"results": [{"unique_id": "model.shop.orders", "status": "error", "message": "no such table"}]}
STEP = {"name": "Invoke dbt with `dbt build`", "command": "dbt build", "outcome": 20}
JOBS = {
    70: {"running": 0.02, "steps": [{**STEP, "outcome": 10}]},
    71: {"queued": 1000},
    72: {"outcome": 20, "steps": [STEP], "artifacts": {"run_results.json": RESULTS}},
}


@pytest.fixture
def cloud(dbt_cloud):
    dbt_cloud.control.seed(jobs=[{"id": each, "name": f"Job {each}", "pretend": JOBS[each]} for each in JOBS])
    return dbt_cloud


@pytest.fixture
def client(cloud):
    with DbtCloudClient(cloud.token, 1, cloud.url) as client:
        yield client


@pytest.fixture
def run_job(client):
    """Runs a job with the account of `client`."""
    return lambda *args, **kwargs: run_dbt_cloud_job(*args, **{"credentials": client, **kwargs})


def trigger_of(client, run_id):
    return client.runs.get(run_id, include_related=["trigger"]).data["trigger"]


def test_the_example_of_dlt_works(client, run_job):
    additional_data = {"git_sha": "abcd1234", "schema_override": "custom_schema"}
    status = run_job(job_id=70, data=additional_data, wait_for_outcome=True, wait_seconds=0.01)
    assert (status["status_humanized"], status["in_progress"]) == ("Success", False)
    trigger = trigger_of(client, status.run_id)
    assert (trigger["git_sha"], trigger["schema_override"]) == ("abcd1234", "custom_schema")
    assert trigger["cause"].startswith("Triggered from Python")


def test_overrides_are_arguments_too(client, run_job):
    result = run_job(70, {"git_branch": "main"}, cause="Nightly", threads_override=4, wait_seconds=0.01)
    trigger = trigger_of(client, result.run_id)
    assert (trigger["git_branch"], trigger["threads_override"]) == ("main", 4)
    assert trigger["cause"].startswith("Nightly")


def test_a_job_is_found_by_its_name(run_job):
    assert run_job("Job 70", wait_seconds=0.01).job_id == 70
    assert run_job(" 70 ", wait_seconds=0.01).job_id == 70
    with pytest.raises(LookupFailed, match="Found 0 jobs named 'Job'"):
        run_job("Job")
    with pytest.raises(InvalidArgument, match=r"70\.0 is not a valid job id"):
        run_job(70.0)


def test_the_schedule_is_off_until_the_run_has_ended(cloud, client, run_job):
    cloud.control.seed(jobs=[{"id": 73, "name": "Daily", "triggers": {"schedule": True}, "pretend": {}}])
    during = []
    run_job(73, disable_schedule=True, on_progress=lambda _: during.append(client.jobs.get(73).scheduled))
    assert (during, client.jobs.get(73).scheduled) == ([False], True)
    run_job(73, on_progress=lambda _: during.append(client.jobs.get(73).scheduled))
    assert during == [False, True]


def test_one_key_starts_one_run(client, run_job):
    first, second = (run_job(70, once_key="2026-11-28", wait_seconds=0.01) for _ in range(2))
    assert first.run_id == second.run_id
    assert len(client.runs.list(job_id=70).all()) == 1


def test_without_the_outcome_the_queued_run_comes_at_once(client, run_job):
    result = run_job(71, wait_for_outcome=False)
    assert (result["status_humanized"], result.is_successful) == ("Queued", False)
    assert get_dbt_cloud_run_status(result.run_id, False, credentials=client)["status"] == 1


def test_the_result_is_there_after_the_function_has_closed_its_client(cloud, run_job):
    class Credentials:
        def get_administrative_client(self):
            return DbtCloudClient(cloud.token, 1, cloud.url)

    result = run_job(72, wait_seconds=0.01, credentials=Credentials())
    assert result.get_artifact("run_results.json") == RESULTS
    assert [node.name for node in result.report.failed] == ["orders"]


def test_a_failure_is_raised_only_on_demand(client, run_job):
    result = run_job(72, wait_seconds=0.01)
    assert not result.is_successful
    with pytest.raises(RunFailed, match="model orders: no such table"):
        run_job(72, wait_seconds=0.01, raise_on_failure=True)
    with pytest.raises(RunFailed):
        get_dbt_cloud_run_status(result.run_id, raise_on_failure=True, credentials=client)


def test_each_change_is_reported(run_job):
    seen = []
    run_job(70, wait_seconds=0.01, on_progress=lambda run: seen.append(run.status))
    assert seen[-1] == 10


def test_an_error_of_the_callback_ends_the_wait(run_job):
    def fail(run):
        raise LookupError(run.id)

    with pytest.raises(LookupError):
        run_job(71, on_progress=fail)


def test_the_timeout_ends_the_wait(client, run_job):
    with pytest.raises(RunTimedOut) as caught:
        run_job(71, wait_seconds=0.01, timeout=0.02)
    assert client.runs.get(caught.value.run_id).status == 1


BAD = [
    ({"wait_seconds": 0}, "interval"),
    ({"timeout": float("nan")}, "timeout"),
    ({"wait_for_outcome": False, "disable_schedule": True}, "disable_schedule=True cannot be combined"),
    ({"wait_for_outcome": False, "raise_on_failure": True}, "raise_on_failure=True cannot be combined"),
    ({"data": {"git_sha": "a"}, "git_sha": "b"}, "git_sha is given twice"),
    ({"data": {"git_shaa": "a"}}, "git_sha"),
    ({"data": ["git_sha"]}, "data"),
    ({"data": {1: 2}}, "'1' is not an override"),
    ({"data": {"job_id": 71}}, "data has a job_id"),
    ({"on_progress": "print"}, "on_progress"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_arguments_are_refused_before_anything_is_started(client, run_job, arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        run_job(70, **arguments)
    assert client.runs.list(job_id=70).all() == []


@pytest.mark.parametrize(("arguments", "message"), [BAD[0], BAD[1], BAD[-1]])
def test_the_status_of_a_run_that_has_ended_refuses_them_too(client, run_job, arguments, message):
    run = run_job(70, wait_seconds=0.01)
    with pytest.raises(InvalidArgument, match=message):
        get_dbt_cloud_run_status(run.run_id, credentials=client, **arguments)


def test_the_job_may_come_from_the_environment(run_job, monkeypatch):
    monkeypatch.setenv("DBT_CLOUD__JOB_ID", "70")
    assert run_job(wait_seconds=0.01).job_id == 70
    monkeypatch.setenv("DBT_CLOUD__JOB_ID", "")
    with pytest.raises(InvalidArgument, match="DBT_CLOUD__JOB_ID"):
        run_job()


def test_credentials_are_credentials_or_a_client():
    with pytest.raises(InvalidArgument, match="DbtCloudCredentials or a DbtCloudClient") as caught:
        run_dbt_cloud_job(70, credentials="dbtc_secret")
    assert "dbtc_secret" not in str(caught.value)


def test_ctrl_c_says_that_the_run_is_still_running(client, run_job):
    def interrupt(run):
        if run.status == 1:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        run_job(71, on_progress=interrupt)
    (run,) = client.runs.list(job_id=71)
    assert run.status == 1
    note = f"Run {run.id} may still be running. client.runs.cancel({run.id}) cancels it."
    assert caught.value.__notes__ == [note]
