"""The types of what the methods of the awaited client return. Nothing runs this: type checkers read it."""

# mypy: disable-error-code="unused-coroutine"

from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, assert_type

from dbtcloud import AsyncDbtCloudClient, DbtCloudCredentials, DbtCloudRunResult
from dbtcloud.client.definitions.environment_variable import CustomEnvironmentVariable
from dbtcloud.client.definitions.webhook import Webhook
from dbtcloud.client.models import Account, Environment, Job, Project, Run
from dbtcloud.report.retry_plan import RetryPlan
from dbtcloud.report.run_report import RunReport
from dbtcloud.resources.administrative_client import AsyncAdministrativeClient
from dbtcloud.resources.base.faces import Async
from dbtcloud.resources.base.pages import AsyncPages
from dbtcloud.resources.discovery_nodes import (
    Lineage,
    MetricMetadata,
    ModelMetadata,
    SourceFreshness,
    TestMetadata,
)
from dbtcloud.resources.jobs import Jobs
from dbtcloud.resources.metadata import AsyncMetadataClient
from dbtcloud.webhooks import JobRunEvent


async def clients() -> None:
    async with AsyncDbtCloudClient(token="t", account_id=1, host="h", timeout=3.0) as opened:
        assert_type(opened, AsyncDbtCloudClient)
    client = AsyncDbtCloudClient.from_env()
    assert_type(client, AsyncDbtCloudClient)
    assert_type(client.with_options(timeout=3.0), AsyncDbtCloudClient)
    assert_type(await client.close(), None)
    assert_type(client.account_id, str)
    assert_type(client.request("GET", "steps/4/"), Coroutine[Any, Any, Any])
    assert_type(client.jobs, Jobs[Async])


async def lists(client: AsyncDbtCloudClient) -> None:
    jobs = client.jobs.list(project_id=4, limit=3)
    assert_type(jobs, AsyncPages[Job])
    assert_type([job async for job in jobs], list[Job])
    assert_type(await jobs.all(), list[Job])
    assert_type(await jobs.first(), Job | None)
    assert_type(await jobs.total, int)
    assert_type(jobs.pages(), AsyncGenerator[list[Job]])
    assert_type(client.accounts.list(), AsyncPages[Account])
    assert_type(client.projects.list(), AsyncPages[Project])
    assert_type(client.environments.list(4), AsyncPages[Environment])
    assert_type(client.runs.list(job_id=4), AsyncPages[Run])
    assert_type(client.artifacts.list(4), AsyncPages[str])
    assert_type(client.webhooks.list(), AsyncPages[Webhook])
    assert_type(client.environment_variables.list(4), AsyncPages[CustomEnvironmentVariable])


async def objects(client: AsyncDbtCloudClient) -> None:
    assert_type(await client.accounts.get(), Account)
    assert_type(await client.projects.create("x", description="y"), Project)
    assert_type(client.projects.delete(4), Coroutine[Any, Any, None])
    assert_type(await client.environments.update(4, dbt_version="1"), Environment)
    assert_type(await client.webhooks.update("x", active=False), Webhook)
    assert_type(client.webhooks.verify(b"", None, ""), JobRunEvent)
    assert_type(await client.environment_variables.set_override(4, "x", "y"), CustomEnvironmentVariable)


async def jobs(client: AsyncDbtCloudClient) -> None:
    assert_type(client.jobs.get(42), Coroutine[Any, Any, Job])
    assert_type(await client.jobs.get(42), Job)
    assert_type(await client.jobs.find(job="x"), Job)
    assert_type(await client.jobs.update(4, name="x"), Job)
    assert_type(await client.jobs.run(4, cause="x", once_key="y", git_branch="main"), Run)
    assert_type(client.jobs.disable_schedule(4), AbstractAsyncContextManager[Job, None])
    async with client.jobs.disable_schedule(4) as job:
        assert_type(job, Job)


async def runs(client: AsyncDbtCloudClient) -> None:
    assert_type(await client.runs.get(4), Run)
    assert_type(await client.runs.wait(4, on_progress=print), Run)
    assert_type(client.runs.watch(4), AsyncIterator[Run])
    assert_type(client.runs.logs(4, follow=True), AsyncIterator[str])
    assert_type([run async for run in client.runs.watch(4)], list[Run])
    assert_type(await client.runs.retry_plan(4), RetryPlan)
    assert_type(await client.runs.report(4), RunReport)
    assert_type(await client.artifacts.get(4, "x"), bytes)
    assert_type(await client.artifacts.download(4, "x", "y"), list[Path])


async def discovery(client: AsyncDbtCloudClient) -> None:
    assert_type(await client.discovery.query("{ x }"), dict[str, Any])
    assert_type(client.discovery.models(4), AsyncIterator[ModelMetadata])
    assert_type(await client.discovery.model(4, "x"), ModelMetadata | None)
    assert_type(await client.discovery.lineage(4), Lineage)
    assert_type(client.discovery.source_freshness(4), AsyncIterator[SourceFreshness])
    assert_type(await client.discovery.failing(4), list[ModelMetadata | TestMetadata])
    assert_type(client.discovery.metrics(4), AsyncIterator[MetricMetadata])


async def results(client: AsyncDbtCloudClient) -> None:
    result = await client.run_job_and_poll(4)
    assert_type(result, DbtCloudRunResult[Async])
    assert_type(await result.get_artifact("manifest.json"), Any)
    assert_type(await result.raise_for_status(), None)
    assert_type(await result.report, RunReport)
    assert_type(result.is_successful, bool)


async def credentials(given: DbtCloudCredentials) -> None:
    assert_type(given.get_async_metadata_client(), AsyncMetadataClient)
    assert_type(await given.get_async_metadata_client().query("{ x }"), dict[str, Any])
    async with given.get_administrative_client() as client:
        assert_type(client, AsyncAdministrativeClient)
        assert_type(await client.trigger_job_run(4), Run)
        assert_type(await client.jobs.get(4), Job)
