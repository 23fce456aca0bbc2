"""Calls that download artifacts, and that wait for those of a run that has just ended."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from dbtcloud.client import endpoints
from dbtcloud.client.downloads.atomic_download import AtomicDownload, LocalDestination
from dbtcloud.client.errors import ArtifactMissing, DbtCloudError, LogMissing, NotFound
from dbtcloud.client.models import Run
from dbtcloud.client.protocol import Call, Id, Sink, Sleep, T
from dbtcloud.client.run_status import RunStatus

log = logging.getLogger(__name__)

_RECENT = 60.0  # seconds after a run's end in which dbt Cloud may still store its artifacts
_FIRST_PAUSE, _MAX_PAUSE = 0.5, 10.0  # seconds; pauses double

Clock = Callable[[], datetime]


def _now() -> datetime:
    """Return this machine's time."""
    return datetime.now(UTC)


def fetch_artifact(
    account_id: Id, run_id: Id, path: str, sink: Sink, *, step: int | None = None, clock: Clock = _now
) -> Call[None]:
    """Download an artifact, and wait for it if its run has just ended.

    Args:
        account_id: The account.
        run_id: The run.
        path: The artifact.
        sink: Receives the bytes.
        step: The step that wrote it; the last one if None.
        clock: Returns the time, to decide whether the run has just ended.

    Raises:
        ArtifactMissing: If the run has no such artifact.
        NotFound: If there is no such run.
    """

    def download() -> Call[None]:
        yield from endpoints.download_artifact(account_id, run_id, path, sink, step=step)

    yield from find_artifact(download, account_id, run_id, path, step=step, clock=clock)


def find_artifact(
    attempt: Callable[[], Call[T]],
    account_id: Id,
    run_id: Id,
    path: str,
    *,
    step: int | None = None,
    clock: Clock = _now,
) -> Call[T]:
    """Carry out a call that gets an artifact, and wait for it if its run has just ended.

    Args:
        attempt: Makes the call.
        account_id: The account.
        run_id: The run.
        path: The artifact.
        step: The step that wrote it; the last one if None.
        clock: Returns the time, to decide whether the run has just ended.

    Raises:
        ArtifactMissing: If the run has no such artifact.
        NotFound: If there is no such run.
    """
    try:
        return (yield from retry_while_recent(attempt, account_id, run_id, clock))
    except NotFound as error:
        raise (yield from _explain_missing(account_id, run_id, path, step)) from error


def read_artifact(
    account_id: Id, run_id: Id, path: str, read: Callable[[IO[bytes]], T], *, step: int | None = None
) -> Call[T]:
    """Read a JSON artifact of any size.

    Args:
        account_id: The account.
        run_id: The run.
        path: The artifact.
        read: Reads the bytes from a temporary file, which is removed afterwards.
        step: The step that wrote it; the last one if None.

    Raises:
        NotFound: If there is no such artifact.
        MalformedResponse: If it is not JSON.
        ArtifactError: If there is no space for the temporary file.
    """
    with tempfile.TemporaryDirectory(prefix="dbt-cloud-") as folder:
        file = Path(folder, "artifact")
        name = f"Artifact {path!r} of run {run_id}"
        with AtomicDownload(LocalDestination(file), name, is_json=True) as download:
            yield from endpoints.download_artifact(account_id, run_id, path, download, step=step)
        with file.open("rb") as stream:
            return read(stream)


def retry_while_recent(
    attempt: Callable[[], Call[T]],
    account_id: Id,
    run_id: Id,
    clock: Clock = _now,
    longest: float = _RECENT,
) -> Call[T]:
    """Repeat a call that finds nothing until the end of its run is a minute ago.

    Args:
        attempt: Makes the call.
        account_id: The account.
        run_id: The run.
        clock: Returns the time.
        longest: Largest number of seconds for all pauses together.

    Raises:
        NotFound: If there is no such run, or the last attempt raises it.
        ArtifactMissing: If the last attempt raises it; `LogMissing` likewise.
    """
    slept, pause = 0.0, _FIRST_PAUSE
    while True:
        try:
            return (yield from attempt())
        except (NotFound, ArtifactMissing, LogMissing) as error:
            run = yield from endpoints.get_run(account_id, run_id)
            left = min(_recent_seconds(run, clock), longest - slept)
            if left <= 0:
                raise
            log.info("Run %s has just ended; trying again in %.3g s. %s", run_id, pause, error)
        yield Sleep(min(pause, left))
        slept, pause = slept + min(pause, left), min(pause * 2, _MAX_PAUSE)


def _recent_seconds(run: Run, clock: Clock) -> float:
    """Return the seconds for which dbt Cloud may still store artifacts of the run."""
    if not run.finished or run.finished_at is None:
        return 0.0
    return _RECENT - (clock() - run.finished_at).total_seconds()


def _explain_missing(account_id: Id, run_id: Id, path: str, step: int | None) -> Call[ArtifactMissing]:
    run = yield from endpoints.get_run(account_id, run_id)
    try:
        names = yield from endpoints.list_artifacts(account_id, run_id)
    except DbtCloudError:
        names = []
    of_step = "" if step is None or not run.finished else f"Step {step} did not write it"
    why = ". ".join(filter(None, (unsuccessful_end(run), of_step)))
    return ArtifactMissing(run_id, path, names, why=why)


def unsuccessful_end(run: Run) -> str:
    """Return how a run ended if it did not succeed, with dbt Cloud's message, and else ""."""
    if not run.finished:
        return "The run has not ended yet"
    if run.status == RunStatus.SUCCESS:
        return ""
    outcome = "was cancelled" if run.status == RunStatus.CANCELLED else "failed"
    message = (run.status_message or "").strip().rstrip(".")
    return f"The run {outcome}, and may have ended before the artifact was written. {message}".rstrip(". ")
