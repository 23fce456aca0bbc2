"""All that reads answers of dbt Cloud: verbs of the hook, calls of the client, tasks and the trigger."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import AirflowSensorTimeout, TaskDeferred

from airflow_dbt_cloud.exceptions import (
    DbtCloudApiException,
    DbtCloudJobRunException,
    DbtCloudResourceLookupError,
)
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from airflow_dbt_cloud.job_runs.status import validate_execute_complete_event
from airflow_dbt_cloud.operators.dbt import (
    DbtCloudCancelJobRunOperator,
    DbtCloudGetJobRunArtifactOperator,
    DbtCloudListJobRunsOperator,
    DbtCloudListJobsOperator,
    DbtCloudRetryJobRunOperator,
    DbtCloudRunJobOperator,
)
from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor
from airflow_dbt_cloud.triggers.dbt import DbtCloudRunJobTrigger
from dbtcloud.artifacts.schema import InvalidArtifact
from dbtcloud.client.access_check import check_access
from dbtcloud.client.discovery import nodes, query
from dbtcloud.client.downloads.download import fetch_artifact
from dbtcloud.client.errors import DbtCloudError
from dbtcloud.client.job_lookup import find_job
from dbtcloud.client.protocol import Call
from dbtcloud.client.retry import RetryPolicy
from dbtcloud.client.transport.async_client import AsyncClient
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.network_settings import Transport
from dbtcloud.client.transport.sync_client import SyncClient
from dbtcloud.report.retry_plan_reader import read_retry_plan
from dbtcloud.report.run_report_reader import read_run_report
from wires.calls import CASES, Forgetful

SUCCEEDED, FAILED, RUNNING = 7, 8, 9
"""Runs of the local dbt Cloud."""

GOOD_JOB, BAD_JOB = 70, 71

WAIT = 0.2
"""Seconds that each wait may take."""

GRACE = 1.0
"""Seconds by which a wait may be late."""

REPORT = 30.0
"""Seconds of pauses while an ended run is reported: dbt Cloud may store the results later."""

START = 3_600.0
"""Seconds of pauses at a start: after a lost answer, runs are searched, and 429s are waited out."""

_HOOK = (DbtCloudApiException, DbtCloudJobRunException, DbtCloudResourceLookupError)
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
_QUERY = """
query ($first: Int, $after: String) { environment(id: 1) { applied {
  models(first: $first, after: $after) { pageInfo { hasNextPage endCursor } edges { node { uniqueId } } }
} } }
"""
_MODELS = "environment.applied.models"


@dataclass(frozen=True)
class EntryPoint:
    """Something that reads answers.

    Attributes:
        run: Does it, with an address and a folder for files.
        documented: The exceptions that its documentation names.
        pauses: Seconds that it may pause beside the polls of a wait.
    """

    run: Callable[[str, Path], object]
    documented: tuple[type[Exception], ...]
    pauses: float = START


class _TaskInstance:
    """What a task asks of Airflow."""

    task_id, dag_id, run_id, map_index, max_tries = "build", "nightly", "manual__1", -1, 2

    def __init__(self, try_number: int) -> None:
        self.try_number = try_number

    def xcom_push(self, key: str, value: Any) -> None:
        """Store nothing."""


class _DagRun:
    start_date = _LONG_AGO


def _context(try_number: int) -> Any:
    return {"ti": _TaskInstance(try_number), "dag_run": _DagRun}


_SETTINGS = {"hook_params": {"retry_delay": 0.001}}


def _verb(act: Callable[[DbtCloudHook, Path], object], *also: type[Exception], **more: Any) -> EntryPoint:
    def run(_: str, folder: Path) -> object:
        hook = DbtCloudHook(retry_delay=0.001)
        try:
            return act(hook, folder)
        finally:
            hook.close()

    return EntryPoint(run, (*_HOOK, *also), **more)


def _coroutine(act: Callable[[DbtCloudHook, Path], Any]) -> EntryPoint:
    return _verb(lambda hook, folder: asyncio.run(act(hook, folder)))


def _task(
    operator: type[Any], try_number: int = 1, *, pauses: float = REPORT, **arguments: Any
) -> EntryPoint:
    def run(_: str, folder: Path) -> object:
        given = {name: str(folder) if value is Path else value for name, value in arguments.items()}
        task = operator(task_id="build", **given, **_SETTINGS)
        context = _context(try_number)
        try:
            return task.execute(context)
        except TaskDeferred as deferral:
            event = asyncio.run(_event_of(deferral.trigger))
            return task.execute_complete(context, event=event)

    return EntryPoint(run, (*_HOOK, AirflowSensorTimeout), pauses)


async def _event_of(trigger: DbtCloudRunJobTrigger) -> dict[str, Any]:
    trigger.not_before = None
    return validate_execute_complete_event((await anext(trigger.run())).payload)


def _trigger(**arguments: Any) -> EntryPoint:
    def run(*_: object) -> object:
        end_time = time.time() + WAIT
        trigger = DbtCloudRunJobTrigger(
            end_time=end_time, poll_interval=0.05, account_id=1, **_SETTINGS, **arguments
        )
        return asyncio.run(_event_of(trigger))

    return EntryPoint(run, (), GRACE)


def _several_triggers(*_: object) -> object:
    async def watch() -> object:
        end_time = time.time() + WAIT
        triggers = [
            DbtCloudRunJobTrigger(run_id=run_id, end_time=end_time, poll_interval=0.05, account_id=1)
            for run_id in (SUCCEEDED, FAILED, RUNNING)
        ]
        return await asyncio.gather(*map(_event_of, triggers))

    return asyncio.run(watch())


def _credentials(url: str) -> Credentials:
    return Credentials(base_url=url, token="t", account_id="1", transport=Transport(timeout=TIMEOUT))


TIMEOUT = 0.5
"""Seconds without a byte after which a request fails."""

_RETRY = RetryPolicy(delay=0.001)


def _sync_call(call: Callable[[Path], Call[Any]], *also: type[Exception]) -> EntryPoint:
    def run(url: str, folder: Path) -> object:
        with SyncClient(_credentials(url), _RETRY) as client:
            return client.ask(call(folder))

    return EntryPoint(run, (DbtCloudError, *also))


def _async_call(call: Callable[[Path], Call[Any]], *also: type[Exception]) -> EntryPoint:
    async def ask(url: str, folder: Path) -> object:
        async with AsyncClient(_credentials(url), _RETRY) as client:
            return await client.ask(call(folder))

    return EntryPoint(lambda url, folder: asyncio.run(ask(url, folder)), (DbtCloudError, *also))


_VERBS = {
    "list_accounts": _verb(lambda hook, _: hook.list_accounts()),
    "get_account": _verb(lambda hook, _: hook.get_account()),
    "list_projects": _verb(lambda hook, _: hook.list_projects()),
    "get_project": _verb(lambda hook, _: hook.get_project(1)),
    "list_environments": _verb(lambda hook, _: hook.list_environments(1)),
    "get_environment": _verb(lambda hook, _: hook.get_environment(1, 1)),
    "list_jobs": _verb(lambda hook, _: hook.list_jobs()),
    "list_jobs, row by row": _verb(lambda hook, _: hook.list_jobs(each=lambda rows, total: None)),
    "get_job": _verb(lambda hook, _: hook.get_job(GOOD_JOB)),
    "get_job_by_name": _verb(
        lambda hook, _: hook.get_job_by_name(
            project_name="Sample bakery", environment_name="Production", job_name="Nightly"
        )
    ),
    "list_job_runs": _verb(lambda hook, _: hook.list_job_runs()),
    "list_job_runs, row by row": _verb(lambda hook, _: hook.list_job_runs(each=lambda rows, total: None)),
    "get_job_runs": _verb(lambda hook, _: hook.get_job_runs(payload={"limit": 2})),
    "find_job_runs": _verb(lambda hook, _: hook.find_job_runs(GOOD_JOB, _LONG_AGO, bool)),
    "get_job_run": _verb(lambda hook, _: hook.get_job_run(FAILED, include_related=["run_steps"])),
    "get_job_run_status": _verb(lambda hook, _: hook.get_job_run_status(SUCCEEDED)),
    "trigger_job_run": _verb(lambda hook, _: hook.trigger_job_run(GOOD_JOB, "fuzz")),
    "trigger_job_run, retry": _verb(
        lambda hook, _: hook.trigger_job_run(BAD_JOB, "fuzz", retry_from_failure=True)
    ),
    "retry_job_run": _verb(lambda hook, _: hook.retry_job_run(FAILED)),
    "retry_failed_job_run": _verb(lambda hook, _: hook.retry_failed_job_run(BAD_JOB)),
    "cancel_job_run": _verb(lambda hook, _: hook.cancel_job_run(RUNNING)),
    "wait_for_job_run_status": _verb(
        lambda hook, _: hook.wait_for_job_run_status(FAILED, None, (10, 20, 30), 0.05, WAIT), pauses=GRACE
    ),
    "wait_for_job_run_status, report": _verb(
        lambda hook, _: hook.wait_for_job_run_status(FAILED, check_interval=0.05, timeout=WAIT),
        pauses=REPORT,
    ),
    "list_job_run_artifacts": _verb(lambda hook, _: hook.list_job_run_artifacts(SUCCEEDED)),
    "get_job_run_artifact": _verb(lambda hook, _: hook.get_job_run_artifact(SUCCEEDED, "manifest.json")),
    "download_job_run_artifact": _verb(
        lambda hook, folder: hook.download_job_run_artifact(SUCCEEDED, "manifest.json", folder / "m.json")
    ),
    "download_job_run_artifacts": _verb(
        lambda hook, folder: hook.download_job_run_artifacts(SUCCEEDED, ["**"], folder)
    ),
    "get_job_run_report": _verb(lambda hook, _: hook.get_job_run_report(FAILED)),
    "get_job_run_retry_plan": _verb(lambda hook, _: hook.get_job_run_retry_plan(FAILED), ValueError),
    "log_job_run_failure_details": _verb(lambda hook, _: hook.log_job_run_failure_details(FAILED)),
    "run_discovery_query": _verb(
        lambda hook, _: hook.run_discovery_query("{ environment(id: 1) { adapterType } }")
    ),
    "list_discovery_nodes": _verb(lambda hook, _: hook.list_discovery_nodes(_QUERY, _MODELS, page_size=1)),
    "test_connection": _verb(lambda hook, _: hook.test_connection()),
    "_run_and_get_response": _verb(
        lambda hook, _: hook._run_and_get_response(endpoint="1/runs/", paginate=True)
    ),
    "get_job_status": _coroutine(lambda hook, _: hook.get_job_status(SUCCEEDED)),
    "get_job_details": _coroutine(
        lambda hook, _: hook.get_job_details(FAILED, include_related=["run_steps"])
    ),
    "stop_job_run": _coroutine(lambda hook, _: hook.stop_job_run(RUNNING)),
    "get_job_run_artifacts_concurrently": _coroutine(
        lambda hook, _: hook.get_job_run_artifacts_concurrently(
            SUCCEEDED, ["manifest.json", "run_results.json"]
        )
    ),
    "download_job_run_artifacts_concurrently": _coroutine(
        lambda hook, folder: hook.download_job_run_artifacts_concurrently(
            SUCCEEDED, {"manifest.json": folder / "a", "run_results.json": folder / "b"}
        )
    ),
}

_TASKS = {
    "run": _task(DbtCloudRunJobOperator, pauses=START, job_id=GOOD_JOB, check_interval=0.05, timeout=WAIT),
    "run, second try": _task(
        DbtCloudRunJobOperator, 2, pauses=START, job_id=GOOD_JOB, check_interval=0.05, timeout=WAIT
    ),
    "run by names": _task(
        DbtCloudRunJobOperator,
        pauses=START,
        project_name="Sample bakery",
        environment_name="Production",
        job_name="Nightly",
        if_running="attach",
        check_interval=0.05,
        timeout=WAIT,
    ),
    "run, failing": _task(
        DbtCloudRunJobOperator, pauses=START, job_id=BAD_JOB, check_interval=0.05, timeout=WAIT
    ),
    "run, deferred": _task(
        DbtCloudRunJobOperator,
        pauses=START,
        job_id=BAD_JOB,
        check_interval=0.05,
        timeout=6.0 + WAIT,
        deferrable=True,
    ),
    "retry": _task(
        DbtCloudRetryJobRunOperator, pauses=START, run_id=FAILED, check_interval=0.05, timeout=WAIT
    ),
    "retry, second try": _task(
        DbtCloudRetryJobRunOperator, 2, pauses=START, run_id=FAILED, check_interval=0.05, timeout=WAIT
    ),
    "cancel": _task(
        DbtCloudCancelJobRunOperator, pauses=START, run_id=RUNNING, check_interval=0.05, timeout=WAIT
    ),
    "list runs": _task(DbtCloudListJobRunsOperator),
    "list the latest run": _task(DbtCloudListJobRunsOperator, latest_only=True),
    "list jobs": _task(DbtCloudListJobsOperator),
    "artifact": _task(
        DbtCloudGetJobRunArtifactOperator, run_id=SUCCEEDED, path="manifest.json", output_path=Path
    ),
    "artifacts": _task(
        DbtCloudGetJobRunArtifactOperator, run_id=SUCCEEDED, paths=["*.json"], output_path=Path
    ),
    "sensor": _task(DbtCloudJobRunSensor, run_id=SUCCEEDED, poke_interval=0.05, timeout=WAIT),
    "sensor, failing": _task(DbtCloudJobRunSensor, run_id=FAILED, poke_interval=0.05, timeout=WAIT),
    "sensor, deferred": _task(
        DbtCloudJobRunSensor, run_id=RUNNING, poke_interval=0.05, timeout=WAIT, deferrable=True
    ),
    "trigger": _trigger(run_id=SUCCEEDED),
    "trigger of a failed run": _trigger(run_id=FAILED),
    "trigger of an unfinished run": _trigger(run_id=RUNNING),
    "three triggers": EntryPoint(_several_triggers, (), GRACE),
}

_MORE_CALLS: dict[str, Callable[[Path], Call[Any]]] = {
    "find_job": lambda _: find_job(1, "Sample bakery", "Production", "Nightly"),
    "check_access": lambda _: check_access(1),
    "fetch_artifact": lambda _: fetch_artifact(1, SUCCEEDED, "manifest.json", Forgetful()),
    "read_run_report": lambda _: read_run_report(1, FAILED),
    "discovery.query": lambda _: query("{ environment(id: 1) { adapterType } }"),
    "discovery.nodes": lambda _: nodes(_QUERY, _MODELS, page_size=1),
}


def _calls() -> dict[str, Callable[[Path], Call[Any]]]:
    """Each endpoint of the client once, and what is made of them."""
    endpoints = {name: (lambda _, case=cases[0]: case.call()) for name, cases in CASES.items()}
    return {**endpoints, **_MORE_CALLS}


ENTRY_POINTS: dict[str, EntryPoint] = {
    **{f"hook: {name}": entry for name, entry in _VERBS.items()},
    **{f"task: {name}": entry for name, entry in _TASKS.items()},
    **{f"sync client: {name}": _sync_call(call) for name, call in _calls().items()},
    **{f"async client: {name}": _async_call(call) for name, call in _calls().items()},
    "sync client: read_retry_plan": _sync_call(lambda _: read_retry_plan(1, FAILED), InvalidArtifact),
    "async client: read_retry_plan": _async_call(lambda _: read_retry_plan(1, FAILED), InvalidArtifact),
}
