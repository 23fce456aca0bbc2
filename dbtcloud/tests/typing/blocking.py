"""The types of what the methods of the blocking client return. Nothing runs this: type checkers read it."""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, assert_type

from dbtcloud import (
    DbtCloudClient,
    DbtCloudCredentials,
    DbtCloudOutput,
    DbtCloudRunResult,
    get_dbt_cloud_run_status,
    run_dbt_cloud_job,
)
from dbtcloud.client.definitions.environment_variable import CustomEnvironmentVariable
from dbtcloud.client.definitions.webhook import Webhook
from dbtcloud.client.models import Account, Environment, Job, Project, Run
from dbtcloud.report.retry_plan import RetryPlan
from dbtcloud.report.run_report import RunReport
from dbtcloud.resources.administrative_client import AdministrativeClient
from dbtcloud.resources.base.faces import Sync
from dbtcloud.resources.base.pages import Pages
from dbtcloud.resources.credentials import DbtCloudAdministrativeClient
from dbtcloud.resources.discovery_nodes import (
    Lineage,
    MetricMetadata,
    ModelMetadata,
    SourceFreshness,
    TestMetadata,
)
from dbtcloud.resources.jobs import Jobs
from dbtcloud.resources.metadata import MetadataClient
from dbtcloud.webhooks import JobRunEvent


def clients() -> None:
    with DbtCloudClient(token="t", account_id=1, host="h", timeout=3.0) as opened:
        assert_type(opened, DbtCloudClient)
    client = DbtCloudClient.from_env()
    assert_type(client, DbtCloudClient)
    assert_type(client.with_options(timeout=3.0, disable_schedule_on_trigger=True), DbtCloudClient)
    assert_type(client.close(), None)
    assert_type(client.account_id, str)
    assert_type(client.request("GET", "steps/4/", params={"a": 1}), Any)
    assert_type(client.jobs, Jobs[Sync])


def lists(client: DbtCloudClient) -> None:
    jobs = client.jobs.list(project_id=4, limit=3)
    assert_type(jobs, Pages[Job])
    assert_type(list(jobs), list[Job])
    assert_type([job for job in jobs], list[Job])  # noqa: C416 -- the type of what comes
    assert_type(jobs.all(), list[Job])
    assert_type(jobs.first(), Job | None)
    assert_type(jobs.total, int)
    assert_type(jobs.pages(), Generator[list[Job]])
    assert_type(client.accounts.list(), Pages[Account])
    assert_type(client.projects.list(name_contains="x"), Pages[Project])
    assert_type(client.environments.list(project_id=4), Pages[Environment])
    assert_type(client.runs.list(job_id=4, status=["error", 10], created_after="2026-01-01"), Pages[Run])
    assert_type(client.artifacts.list(4), Pages[str])
    assert_type(client.webhooks.list(), Pages[Webhook])
    assert_type(client.environment_variables.list(4), Pages[CustomEnvironmentVariable])


def objects(client: DbtCloudClient) -> None:
    assert_type(client.accounts.get(), Account)
    assert_type(client.projects.create("x", description="y", connection_id=None), Project)
    assert_type(client.projects.update(4, name="x"), Project)
    assert_type(client.projects.delete(4), None)
    assert_type(client.environments.get(4, 3), Environment)
    assert_type(client.environments.create(4, "x", deployment_type="staging"), Environment)
    assert_type(client.environments.update(4, project_id=3, dbt_version="1"), Environment)
    assert_type(client.webhooks.create("x", "y", ["z"], job_ids=[4]), Webhook)
    assert_type(client.webhooks.test("x"), str)
    assert_type(client.webhooks.verify(b"", None, ""), JobRunEvent)
    assert_type(client.environment_variables.list_overrides(4), list[CustomEnvironmentVariable])
    assert_type(client.environment_variables.set_override(4, "x", "y"), CustomEnvironmentVariable)


def jobs(client: DbtCloudClient) -> None:
    get: Callable[[int], Job] = client.jobs.get
    assert_type(get(42), Job)
    assert_type(client.jobs.get(42), Job)
    assert_type(client.jobs.get("42").name, str)
    assert_type(client.jobs.find(job="x", project="y"), Job)
    assert_type(client.jobs.create("x", project_id=1, environment_id=2, execute_steps=["dbt build"]), Job)
    assert_type(client.jobs.update(4, triggers={"schedule": True}), Job)
    assert_type(client.jobs.delete(4), None)
    assert_type(client.jobs.run(4, cause="x", once_key="y", git_branch="main", threads_override=4), Run)
    assert_type(client.jobs.rerun(4), Run)
    assert_type(client.jobs.disable_schedule(4), AbstractContextManager[Job, None])
    with client.jobs.disable_schedule(4) as job:
        assert_type(job, Job)


def runs(client: DbtCloudClient) -> None:
    assert_type(client.runs.get(4, include_related=["trigger"]), Run)
    assert_type(client.runs.wait(4, timeout=3, on_progress=print), Run)
    assert_type(client.runs.watch(4), Iterator[Run])
    assert_type(client.runs.logs(4, follow=True), Iterator[str])
    assert_type(client.runs.cancel(4), Run)
    assert_type(client.runs.retry(4), Run)
    assert_type(client.runs.retry_plan(4), RetryPlan)
    assert_type(client.runs.report(4), RunReport)
    assert_type(client.artifacts.get(4, "x"), bytes)
    assert_type(client.artifacts.json(4, "x"), Any)
    assert_type(client.artifacts.download(4, "x", Path("y"), step=3), list[Path])


def discovery(client: DbtCloudClient) -> None:
    assert_type(client.discovery.query("{ x }", {"a": 1}), dict[str, Any])
    assert_type(client.discovery.paginate("{ x }", "x"), Iterator[dict[str, Any]])
    assert_type(client.discovery.models(4), Iterator[ModelMetadata])
    assert_type(client.discovery.model(4, "x"), ModelMetadata | None)
    assert_type(client.discovery.lineage(4, select="+x"), Lineage)
    assert_type(client.discovery.source_freshness(4), Iterator[SourceFreshness])
    assert_type(client.discovery.slowest(4, limit=2), list[ModelMetadata])
    assert_type(client.discovery.failing(4), list[ModelMetadata | TestMetadata])
    assert_type(client.discovery.metrics(4), Iterator[MetricMetadata])


def results(client: DbtCloudClient) -> None:
    result = run_dbt_cloud_job(4, {"git_sha": "x"}, cause="y", schema_override="z", once_key="k")
    assert_type(result, DbtCloudRunResult)
    assert_type(get_dbt_cloud_run_status(4), DbtCloudRunResult)
    assert_type(client.run_job_and_poll(4, poll_interval=1), DbtCloudRunResult[Sync])
    output: DbtCloudOutput = client.run_job_and_poll(4)
    assert_type(output.is_successful, bool)
    assert_type(result.get_artifact("manifest.json"), Any)
    assert_type(result.raise_for_status(), None)
    assert_type(result.report, RunReport)
    assert_type(result["status_humanized"], Any)


def credentials(given: DbtCloudCredentials) -> None:
    assert_type(given.get_client("administrative"), DbtCloudAdministrativeClient)
    assert_type(given.get_client("metadata"), MetadataClient)
    assert_type(given.get_metadata_client().query("{ x }"), dict[str, Any])
    with given.get_administrative_client() as client:
        assert_type(client, AdministrativeClient)
        assert_type(client.trigger_job_run(4, {"git_branch": "x"}), Run)
        assert_type(client.get_job(4), Job)
        assert_type(client.list_run_artifacts(4), list[str])
        assert_type(client.jobs.get(4), Job)
