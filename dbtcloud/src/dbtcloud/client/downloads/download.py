"""Conversations that fetch artifacts: what is not there yet is asked for again while its run is fresh."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from dbtcloud.client import endpoints
from dbtcloud.client.downloads.atomic_download import AtomicDownload, LocalDestination
from dbtcloud.client.downloads.patterns import missing
from dbtcloud.client.endpoints import Id
from dbtcloud.client.errors import ArtifactMissing, DbtCloudError, NotFound
from dbtcloud.client.models import Run
from dbtcloud.client.protocol import Call, Sink, Sleep, T

log = logging.getLogger(__name__)

FRESH = 60.0
"""Seconds after a run's end in which a missing artifact may still come: dbt Cloud stores them then."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds; pauses double."""

Clock = Callable[[], datetime]


def now() -> datetime:
    """This machine's time."""
    return datetime.now(UTC)


def fetch_artifact(
    account_id: Id, run_id: Id, path: str, sink: Sink, *, step: int | None = None, clock: Clock = now
) -> Call[None]:
    """Hand an artifact's bytes to `sink`.

    Args:
        account_id: The account.
        run_id: The run.
        path: The artifact.
        sink: Takes the bytes.
        step: The step that wrote it; the last if None.
        clock: Tells whether the run has only just ended.

    Raises:
        ArtifactMissing: If the run has no such artifact.
        NotFound: If there is no such run.
    """

    def look() -> Call[None]:
        yield from endpoints.download_artifact(account_id, run_id, path, sink, step=step)

    try:
        yield from retry_while_recent(look, account_id, run_id, clock)
    except NotFound as error:
        raise (yield from _explained(account_id, run_id, path, step)) from error


def read_artifact(
    account_id: Id, run_id: Id, path: str, read: Callable[[IO[bytes]], T], *, step: int | None = None
) -> Call[T]:
    """Read a JSON artifact of any size: `read` is given its bytes as a file, which is gone afterwards.

    Raises:
        NotFound: If there is no such artifact.
        MalformedResponse: If what came is not JSON.
        ArtifactError: If there is no room for it among the machine's temporary files.
    """
    with tempfile.TemporaryDirectory(prefix="dbt-cloud-") as folder:
        file = Path(folder, "artifact")
        with AtomicDownload(
            LocalDestination(file), f"Artifact {path!r} of run {run_id}", is_json=True
        ) as landing:
            yield from endpoints.download_artifact(account_id, run_id, path, landing, step=step)
        with file.open("rb") as stream:
            return read(stream)


def retry_while_recent(
    look: Callable[[], Call[T]],
    account_id: Id,
    run_id: Id,
    clock: Clock = now,
    longest: float = FRESH,
) -> Call[T]:
    """Look for something of a run until it is there, or the run's end is `FRESH` seconds ago.

    Args:
        look: Looks once.
        account_id: The account.
        run_id: The run.
        clock: Tells whether the run has only just ended.
        longest: Seconds for which it is looked for at the most.

    Raises:
        NotFound: If there is no such run, or as `look` says.
        ArtifactMissing: As `look` says.
    """
    slept, pause = 0.0, FIRST_PAUSE
    while True:
        try:
            return (yield from look())
        except (NotFound, ArtifactMissing) as error:
            run = yield from endpoints.get_run(account_id, run_id)
            left = min(_patience(run, clock), longest - slept)
            if left <= 0:
                raise
            log.info("Run %s has only just ended; looking again in %.3g s. %s", run_id, pause, error)
        yield Sleep(min(pause, left))
        slept, pause = slept + min(pause, left), min(pause * 2, LONGEST_PAUSE)


def _patience(run: Run, clock: Clock) -> float:
    """Seconds for which an artifact of the run may still be waited for."""
    if not run.finished or run.finished_at is None:
        return 0.0
    return FRESH - (clock() - run.finished_at).total_seconds()


def _explained(account_id: Id, run_id: Id, path: str, step: int | None) -> Call[ArtifactMissing]:
    run = yield from endpoints.get_run(account_id, run_id)
    try:
        names = yield from endpoints.list_artifacts(account_id, run_id)
    except DbtCloudError:
        names = []
    asked = "" if step is None else f"Asked for was what step {step} wrote"
    return missing(run_id, path, names, why=asked if run.finished else "The run has not ended yet")
