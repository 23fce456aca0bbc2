"""What the client does with runs beside waiting: cancel and retry them, and report on them."""

import pytest

from dbtcloud.errors import ArtifactError, InvalidArgument, NotFound, NotRetryable, WriteRefused
from dbtcloud.resources.base.engines import READONLY

BUILD = {"name": "Invoke dbt with `dbt build`", "outcome": 20, "logs": "Database Error"}


def results(*statuses):
    nodes = [(f"model.shop.{name}", status) for name, status in zip("abc", statuses, strict=False)]
    return {"results": [{"unique_id": name, "status": status, "message": "Boom"} for name, status in nodes]}


@pytest.fixture
def failed(dbt_cloud):
    """Makes a run that has failed, with this as its run_results.json."""

    def make(run_results):
        script = {"outcome": 20, "steps": [BUILD], "artifacts": {"run_results.json": run_results}}
        return dbt_cloud.control.seed(runs=[{"age": 3600, "pretend": script}])["runs"][0]

    return make


def test_a_run_is_cancelled_and_returned(face, dbt_cloud, jobs):
    run_id = jobs.started(jobs.endless)
    cancelled = face.ask(dbt_cloud, lambda client: client.runs.cancel(run_id))
    assert (cancelled.id, cancelled.status_humanized) == (run_id, "Cancelled")
    assert face.ask(dbt_cloud, lambda client: client.runs.cancel(run_id)).status == 30


def test_a_failed_run_is_retried(face, dbt_cloud, jobs):
    failed = jobs.started(jobs.failing)
    jobs.control.advance(1)
    run = face.ask(dbt_cloud, lambda client: client.runs.retry(failed))
    assert run.retried_run_id == failed
    assert len(jobs.asked("POST", "/retry/")) == 1


def test_a_run_that_cannot_be_retried_says_why(face, dbt_cloud, jobs):
    run_id = jobs.started(jobs.endless)
    with pytest.raises(NotRetryable, match=r"It is (queued|running)"):
        face.ask(dbt_cloud, lambda client: client.runs.retry(run_id))
    assert jobs.asked("POST", "/retry/") == []


@pytest.mark.extensive
def test_a_retry_whose_answer_is_lost_is_found(face, dbt_cloud, jobs):
    failed = jobs.started(jobs.failing)
    jobs.control.advance(1)
    jobs.control.add_fault("reset", route="*/retry/", method="POST", after_acting=True, count=1)
    run = face.ask(dbt_cloud, lambda client: client.runs.retry(failed))
    assert run.retried_run_id == failed
    assert [each["id"] for each in jobs.runs()] == [failed, run.id]


@pytest.mark.parametrize("method", ["cancel", "retry"])
def test_nothing_is_changed_where_only_reading_is_allowed(face, dbt_cloud, jobs, monkeypatch, method):
    run_id = jobs.started(jobs.failing if method == "retry" else jobs.endless)
    jobs.control.advance(1)
    monkeypatch.setenv(READONLY, "1")
    with pytest.raises(WriteRefused, match=f"/runs/{run_id}/{method}/"):
        face.ask(dbt_cloud, lambda client: getattr(client.runs, method)(run_id))
    assert jobs.asked("POST", f"/{method}/") == []


def test_the_report_has_the_results_of_the_nodes(face, dbt_cloud, failed):
    run_id = failed(results("success", "error", "skipped"))
    report = face.ask(dbt_cloud, lambda client: client.runs.report(run_id))
    assert [node.name for node in report.failed] == ["b"]
    assert "b: Boom" in report.failure_summary()
    assert [row["status"] for row in report.to_rows()] == ["success", "error", "skipped"]


def test_a_report_says_what_could_not_be_read(face, dbt_cloud, failed):
    run_id = failed("[]")
    report = face.ask(dbt_cloud, lambda client: client.runs.report(run_id))
    assert "The results of step 1" in report.gaps[0]


def test_a_plan_has_what_is_left_to_do(face, dbt_cloud, failed):
    run_id = failed(results("success", "error", "skipped"))
    plan = face.ask(dbt_cloud, lambda client: client.runs.retry_plan(run_id))
    assert [node.name for node in plan.nodes] == ["b", "c"]
    (command,) = plan.commands
    assert command.startswith("dbt build --select fqn:b,")


def test_there_is_no_plan_from_damaged_results(face, dbt_cloud, failed):
    run_id = failed('{"metadata": {"dbt_schema_version": "https://x/dbt/manifest/v12.json"}, "results": []}')
    with pytest.raises(ArtifactError, match=rf"results of run {run_id} cannot be used\. .*manifest v12"):
        face.ask(dbt_cloud, lambda client: client.runs.retry_plan(run_id))


@pytest.mark.parametrize("method", ["cancel", "retry", "retry_plan", "report"])
def test_an_id_that_no_run_has_is_refused(face, dbt_cloud, method):
    with pytest.raises(NotFound):
        face.ask(dbt_cloud, lambda client: getattr(client.runs, method)(99))
    with pytest.raises(InvalidArgument, match="'Nightly' is not a valid run id"):
        face.ask(dbt_cloud, lambda client: getattr(client.runs, method)("Nightly"))
