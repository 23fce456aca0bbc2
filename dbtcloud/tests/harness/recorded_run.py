"""Real runs of the sample project, recorded once and shared by the tests that only read what dbt wrote.

A recording is kept in the user's cache. Its key covers everything that a run depends on: the files of the
project, every distribution in dbt's environment, the code that runs dbt, and the job. If any of them changes,
dbt really runs again.
"""

import asyncio
import gzip
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any

from filelock import FileLock

from dbtcloud.client import endpoints
from dbtcloud.client.errors import NotFound
from dbtcloud.client.models import Run
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.sync_client import SyncClient
from dbtcloud.core import environment
from dbtcloud.local.server.in_thread import LocalDbtCloud

TWO_STEPS = [
    """dbt build --exclude tag:slow --vars '{"rate": "1.5"}'""",
    "dbt run --select path:models/marts",
]

_DAILY_JOB, _FAILING_JOB = 1, 4  # of the sample project
_STEP_ARTIFACTS = ("manifest.json", "run_results.json", "catalog.json")
_MOST_RECORDINGS = 20
_SECONDS = 240


@dataclass(frozen=True)
class RecordedRun:
    """A finished run: its job, its outcome, its steps with their logs, and its artifacts by path."""

    job_name: str
    outcome: int
    message: str | None
    steps: list[dict[str, Any]]
    artifacts: dict[str, str]

    def seed(self, cloud: LocalDbtCloud, job_id: int = 70) -> int:
        """Seed a job whose runs end at once with these steps and artifacts, and return its id."""
        script = {"outcome": self.outcome, "message": self.message}
        script |= {"steps": self.steps, "artifacts": self.artifacts}
        job = {"id": job_id, "name": self.job_name, "project_id": 1, "environment_id": 1, "pretend": script}
        cloud.control.seed(jobs=[job])
        return job_id


def successful_run() -> RecordedRun:
    """Return a run of the daily job that built everything by `TWO_STEPS` and then generated docs."""
    return _recorded(_DAILY_JOB, steps_override=TWO_STEPS)


def failed_run() -> RecordedRun:
    """Return a run in which a model and a test failed and dbt skipped what depends on them."""
    return _recorded(_FAILING_JOB)


def _recorded(job_id: int, **overrides: Any) -> RecordedRun:
    """Return the recording of a run of this job; run dbt first if there is none."""
    folder = environment.data_home() / "recorded-test-runs"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{_key(job_id, overrides)}.json.gz"
    with FileLock(folder / f"{_digest(json.dumps([job_id, overrides]))}.lock"):  # of all workers one records
        if not file.exists():
            whole = file.with_suffix(".part")
            whole.write_bytes(gzip.compress(json.dumps(asdict(_record(job_id, overrides))).encode()))
            whole.replace(file)
            _remove_old(folder)
    return RecordedRun(**json.loads(gzip.decompress(file.read_bytes())))


def _key(job_id: int, overrides: dict[str, Any]) -> str:
    return _digest("\n".join([json.dumps([job_id, overrides]), *_installed(), *_sources()]))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _installed() -> Iterator[str]:
    """Yield each distribution in dbt's environment, which is made first if there is none."""
    dbt = asyncio.run(environment.DbtEnvironment.create())
    (site,) = (dbt.folder / "lib").glob("python*/site-packages")
    yield from sorted(f"{each.name}=={each.version}" for each in metadata.distributions(path=[str(site)]))


def _sources() -> Iterator[str]:
    """Yield path and digest of each file of the sample project, the local dbt Cloud and the dbt runner."""
    package = Path(str(files("dbtcloud")))
    for name in ("core", "local"):
        for path in sorted((package / name).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                yield f"{path.relative_to(package)} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _record(job_id: int, overrides: dict[str, Any]) -> RecordedRun:
    with (
        LocalDbtCloud() as cloud,
        SyncClient(Credentials(base_url=cloud.url, token=cloud.token)) as client,
    ):
        run = client.ask(endpoints.trigger_run(1, job_id, {"cause": "A recording", **overrides}))
        deadline = time.monotonic() + _SECONDS
        while not run.finished:
            assert time.monotonic() < deadline
            time.sleep(0.1)
            run = client.ask(endpoints.get_run(1, run.id, include_related=["run_steps", "job"]))
        steps = [
            {"name": step.name, "seconds": 0, "outcome": step.status, "logs": step.logs} for step in run.steps
        ]
        artifacts = dict(_artifacts(client, run))
        return RecordedRun(run.data["job"]["name"], run.status, run.status_message, steps, artifacts)


def _artifacts(client: SyncClient, run: Run) -> Iterator[tuple[str, str]]:
    """Yield path and text of each artifact, also of each dbt step's own ones, but of no binary files."""
    paths = [(path, None) for path in client.ask(endpoints.list_artifacts(1, run.id))]
    dbt_steps = [step.index for step in run.steps if "`dbt " in step.name]
    for path, step in paths + [(path, step) for step in dbt_steps for path in _STEP_ARTIFACTS]:
        try:
            content = client.ask(endpoints.get_artifact(1, run.id, path, step=step)).body.decode()
        except (NotFound, UnicodeDecodeError):
            continue
        yield (f"steps/{step}/{path}" if step else path), content


def _remove_old(folder: Path) -> None:
    recordings = sorted(folder.glob("*.json.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in recordings[_MOST_RECORDINGS:]:
        path.unlink(missing_ok=True)
