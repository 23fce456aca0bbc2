"""Dagster's way to run a job: run, poll, output."""

import inspect
from contextlib import nullcontext

import pytest

from dbtcloud.errors import InvalidArgument, RunFailed, RunTimedOut
from dbtcloud.resources.client import AsyncDbtCloudClient, DbtCloudClient

STEP = {"name": "Invoke dbt with `dbt build`", "command": "dbt build", "outcome": 20}
RESULTS = {"results": [{"unique_id": "model.shop.orders", "status": "error", "message": "no such table"}]}
FAILED = {"outcome": 20, "steps": [STEP], "artifacts": {"run_results.json": RESULTS}}


@pytest.fixture
def cloud(dbt_cloud):
    jobs = {70: {"running": 0.01}, 71: {"queued": 1000}, 72: FAILED}
    dbt_cloud.control.seed(jobs=[{"id": each, "name": f"J{each}", "pretend": jobs[each]} for each in jobs])
    return dbt_cloud


def test_a_job_is_run_and_polled_until_its_end(face, cloud):
    output = face.ask(
        cloud,
        lambda client: client.run_job_and_poll(
            70, "By hand", steps_override=["dbt run"], schema_override="other", poll_interval=0.01
        ),
    )
    assert (output.job_id, output.is_successful, output.run_details["status_humanized"]) == (
        70,
        True,
        "Success",
    )
    (run,) = face.ask(cloud, lambda client: client.runs.list(job_id=70, include_related=["trigger"]))
    assert (run.id, run.cause.startswith("By hand")) == (output.run_id, True)
    trigger = run.data["trigger"]
    assert (trigger["steps_override"], trigger["schema_override"]) == (["dbt run"], "other")


def test_artifacts_and_the_report_are_read_in_the_way_of_the_client(face, cloud):
    async def awaited(client):
        output = await client.run_job_and_poll(72, poll_interval=0.01)
        with pytest.raises(RunFailed, match="model orders: no such table"):
            await output.raise_for_status()
        report = await output.report
        assert "no such table" in str(output)
        return await output.get_artifact("run_results.json"), report.to_rows()

    def blocking(client):
        output = client.run_job_and_poll(72, poll_interval=0.01)
        return output.get_artifact("run_results.json"), output.report.to_rows()

    artifact, rows = face.ask(cloud, awaited if face.name == "awaited" else blocking)
    assert artifact == RESULTS
    assert [row["message"] for row in rows] == ["no such table"]


def test_a_wait_ends_with_its_timeout_and_leaves_the_run_alone(face, cloud):
    with pytest.raises(RunTimedOut):
        face.ask(cloud, lambda client: client.run_job_and_poll(71, poll_interval=0.01, poll_timeout=0.02))
    (run,) = face.ask(cloud, lambda client: client.runs.list(job_id=71))
    assert run.status == 1


@pytest.mark.parametrize(("job", "error"), [(73, None), (74, RunTimedOut)])
def test_the_client_may_switch_the_schedule_off_meanwhile(face, cloud, job, error):
    scripts = {73: {}, 74: {"queued": 1000}}
    daily = {"id": job, "name": "Daily", "triggers": {"schedule": True}, "pretend": scripts[job]}
    cloud.control.seed(jobs=[daily])
    cloud.control.clear_requests()
    for disables in (True, False):
        with pytest.raises(error) if error else nullcontext():
            face.ask(
                cloud,
                lambda client: client.run_job_and_poll(job, poll_interval=0.01, poll_timeout=0.02),
                disable_schedule_on_trigger=disables,
            )
        assert face.ask(cloud, lambda client: client.jobs.get(job)).scheduled
    posts = [each["target"].split("/")[-2] for each in cloud.control.requests() if each["method"] == "POST"]
    assert posts == [str(job), "run", str(job), "run"]


@pytest.mark.parametrize("times", [{"poll_interval": 0}, {"poll_timeout": -1}, {"poll_interval": "10"}])
def test_bad_times_are_refused_before_anything_is_started(face, cloud, times):
    with pytest.raises(InvalidArgument):
        face.ask(cloud, lambda client: client.run_job_and_poll(70, **times))
    assert face.ask(cloud, lambda client: client.runs.list(job_id=70)) == []


def test_signatures_name_the_result_of_each_face():
    options = {"token": "t", "account_id": 1, "host": "http://127.0.0.1:1"}
    blocking, awaited = (
        inspect.signature(kind(**options).run_job_and_poll) for kind in (DbtCloudClient, AsyncDbtCloudClient)
    )
    assert blocking.return_annotation == "DbtCloudRunResult"
    assert awaited.return_annotation == "Coroutine[Any, Any, DbtCloudRunResult[Async]]"
    assert [*blocking.parameters] == [
        *("job_id", "cause", "steps_override", "schema_override", "poll_interval", "poll_timeout")
    ]
