"""Run a job of dbt Cloud with one function, and wait for it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, Unpack

from dbtcloud.client.errors import InvalidArgument, RunTimedOut
from dbtcloud.client.protocol import Id
from dbtcloud.client.shown_text import shown_value
from dbtcloud.resources.arguments.run_overrides import RunOverrides
from dbtcloud.resources.base.engines import BlockingEngine
from dbtcloud.resources.client import DbtCloudClient
from dbtcloud.resources.progress.progress_bar import progress_bar
from dbtcloud.resources.progress.run_progress import OnProgress, check_callback, poll_schedule
from dbtcloud.resources.run_result import DbtCloudRunResult

if TYPE_CHECKING:
    from dbtcloud.client.models import Run

log = logging.getLogger(__name__)

JOB_ID_VARIABLE = "DBT_CLOUD__JOB_ID"
"""The environment variable, dlt's, that names the job where a program names none."""

_CAUSE = "Triggered from Python"


class _Credentials(Protocol):
    """What `DbtCloudCredentials` has."""

    def get_administrative_client(self) -> AbstractContextManager[DbtCloudClient]: ...


class RunArguments(RunOverrides, total=False):
    """The overrides of a run, with what else names it.

    Attributes:
        cause: Why the job runs.
        once_key: A key for which only one run is started (see `Jobs.run`).
    """

    cause: str
    once_key: str | None


def run_dbt_cloud_job(
    job_id: Id | None = None,
    data: Mapping[str, Any] | None = None,
    wait_for_outcome: bool = True,
    wait_seconds: float = 10,
    *,
    timeout: float | None = None,
    raise_on_failure: bool = False,
    disable_schedule: bool = False,
    on_progress: OnProgress | None = None,
    credentials: _Credentials | DbtCloudClient | None = None,
    **overrides: Unpack[RunArguments],
) -> DbtCloudRunResult:
    """Run a job, wait for the run, and return its result.

    The run is started exactly once (see `Jobs.run`). In a terminal, the extra `progress` shows a bar. If the
    program is interrupted, by Ctrl-C or an error, the run is still running in dbt Cloud.

    Args:
        job_id: The job's id, or its name if no other job of the account has it. If None, the environment
            variable DBT_CLOUD__JOB_ID has one of them.
        data: The overrides of the run as a mapping, such as `{"git_sha": "abcd1234"}`.
        wait_for_outcome: Whether to wait for the end of the run. If not, the result is that of a queued run.
        wait_seconds: Seconds between two polls.
        timeout: Seconds after which the wait ends; that of `Runs.wait` if None.
        raise_on_failure: Whether a run that does not succeed is an error.
        disable_schedule: Whether the job's schedule is off until the run has ended.
        on_progress: Called with the run at each change of its status or step.
        credentials: A `DbtCloudCredentials`, or a client; by default, what the environment names.
        overrides: The same as `data`, as arguments: `cause`, `git_branch`, `schema_override`, … With
            `once_key`, a second call with the same key returns the run of the first.

    Raises:
        InvalidArgument: If an argument cannot be used. Nothing was started then.
        CredentialsMissing: If no credentials are given or found.
        LookupFailed: If no job has the name, or several have it.
        AmbiguousStart: If it is not clear whether the run was started.
        ScheduleNotRestored: If the job's schedule cannot be switched on again, with `disable_schedule`.
        RunTimedOut: If the timeout is reached. The run is still running.
        RunFailed: If the run does not succeed, with `raise_on_failure`.
        DbtCloudError: If a request fails.
    """
    # Bad values are refused before anything is started.
    _check_wait(wait_seconds, timeout, on_progress)
    needs_outcome = {"raise_on_failure": raise_on_failure, "disable_schedule": disable_schedule}
    _check_outcome_wanted(wait_for_outcome, needs_outcome)
    arguments = _merge({} if data is None else data, overrides)
    with _open_client(credentials) as client:
        job = _find_job_id(client, job_id)
        with client.jobs.disable_schedule(job) if disable_schedule else nullcontext():
            run = client.jobs.run(job, **arguments)
            log.info("Run %s of job %s is %s. See %s", run.id, job, run.status_humanized.lower(), run.href)
            if wait_for_outcome:
                run = _wait(client, run, wait_seconds, timeout, on_progress)
        return _result(client, run, raise_on_failure=raise_on_failure)


def get_dbt_cloud_run_status(
    run_id: Id,
    wait_for_outcome: bool = True,
    wait_seconds: float = 10,
    *,
    timeout: float | None = None,
    raise_on_failure: bool = False,
    on_progress: OnProgress | None = None,
    credentials: _Credentials | DbtCloudClient | None = None,
) -> DbtCloudRunResult:
    """Return the result of a run, by default after its end.

    Args:
        run_id: The run.
        wait_for_outcome: Whether to wait for the end of the run.
        wait_seconds: Seconds between two polls.
        timeout: Seconds after which the wait ends; that of `Runs.wait` if None.
        raise_on_failure: Whether a run that does not succeed is an error.
        on_progress: Called with the run at each change of its status or step.
        credentials: A `DbtCloudCredentials`, or a client; by default, what the environment names.

    Raises:
        InvalidArgument: If an argument cannot be used.
        CredentialsMissing: If no credentials are given or found.
        NotFound: If there is no such run.
        RunTimedOut: If the timeout is reached. The run is still running.
        RunFailed: If the run does not succeed, with `raise_on_failure`.
        DbtCloudError: If a request fails.
    """
    _check_wait(wait_seconds, timeout, on_progress)
    _check_outcome_wanted(wait_for_outcome, {"raise_on_failure": raise_on_failure})
    with _open_client(credentials) as client:
        run = client.runs.get(run_id)
        if wait_for_outcome and not run.finished:
            run = _wait(client, run, wait_seconds, timeout, on_progress)
        return _result(client, run, raise_on_failure=raise_on_failure)


def _check_wait(wait_seconds: float, timeout: float | None, on_progress: OnProgress | None) -> None:
    poll_schedule(wait_seconds, timeout)
    if on_progress is not None:
        check_callback(on_progress)


def _check_outcome_wanted(wait_for_outcome: bool, flags: Mapping[str, bool]) -> None:
    for name, flag in flags.items():
        if flag and not wait_for_outcome:
            raise InvalidArgument(
                f"{name}=True cannot be combined with wait_for_outcome=False",
                why="It takes effect at the end of the run",
                fix=f"Wait for the outcome, or leave {name} out",
            )


def _merge(data: Mapping[str, Any], overrides: Mapping[str, object]) -> dict[str, Any]:
    """Return the arguments of `Jobs.run`.

    Raises:
        InvalidArgument: If an override is given twice, with different values, or the data is no mapping.
    """
    if not isinstance(data, Mapping):
        raise InvalidArgument(
            f"data is {shown_value(data)}", why="It has to be a dict", fix='Give it as {"git_branch": "main"}'
        )
    if "job_id" in data:
        raise InvalidArgument("data has a job_id", why="It is for the overrides", fix="Give job_id=…")
    for name in data.keys() & overrides.keys():
        if data[name] != overrides[name]:
            raise InvalidArgument(
                f"{name} is given twice, with different values", fix="Give it in data or as an argument"
            )
    return {"cause": _CAUSE, **{str(name): value for name, value in data.items()}, **overrides}


@contextmanager
def _open_client(credentials: _Credentials | DbtCloudClient | None) -> Iterator[DbtCloudClient]:
    if isinstance(credentials, DbtCloudClient):
        yield credentials  # whoever made it closes it
        return
    if credentials is not None and not hasattr(credentials, "get_administrative_client"):
        raise InvalidArgument(
            f"credentials is {shown_value(type(credentials).__name__)}",
            why="It has to be a DbtCloudCredentials or a DbtCloudClient",
            fix="Leave it out to use what the environment names",
        )
    with DbtCloudClient() if credentials is None else credentials.get_administrative_client() as client:
        yield client


def _find_job_id(client: DbtCloudClient, given: Id | None) -> Id:
    job = os.environ.get(JOB_ID_VARIABLE, "") if given is None else given
    if isinstance(job, str) and not job.strip():
        raise InvalidArgument(
            "There is no job to run", fix=f"Give job_id, or set the environment variable {JOB_ID_VARIABLE}"
        )
    is_name = isinstance(job, str) and not job.strip().isdigit()
    return client.jobs.find(job=str(job)).id if is_name else job


def _wait(
    client: DbtCloudClient, run: Run, interval: float, timeout: float | None, on_progress: OnProgress | None
) -> Run:
    try:
        with progress_bar() as show:
            callbacks = [each for each in (show, on_progress) if each is not None]

            def on_change(changed: Run) -> None:
                for callback in callbacks:
                    callback(changed)

            emit = on_change if callbacks else None
            return client.runs.wait(run.id, interval=interval, timeout=timeout, on_progress=emit)
    except RunTimedOut:
        raise  # it says by itself which run it is
    except BaseException as error:
        error.add_note(f"Run {run.id} may still be running. client.runs.cancel({run.id}) cancels it.")
        raise


def _result(client: DbtCloudClient, run: Run, *, raise_on_failure: bool) -> DbtCloudRunResult:
    # The client may be closed soon. The result opens a connection of its own if it is asked for more.
    engine = BlockingEngine(client._engine.options)  # noqa: SLF001 -- the function is a part of the client
    result: DbtCloudRunResult = DbtCloudRunResult(engine, run)
    if raise_on_failure:
        result.raise_for_status()
    return result
