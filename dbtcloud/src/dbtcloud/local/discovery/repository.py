"""The artifacts of finished runs, found on the event loop of the server and read on another thread."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

from dbtcloud.local.discovery.nodes import RunFacts
from dbtcloud.local.discovery.project_state import EnvironmentState
from dbtcloud.local.discovery.run_artifacts import ArtifactSource, ParsedArtifacts
from dbtcloud.local.model.records import EnvironmentRecord, JobRecord, RunRecord, Status
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.store.queries import PageQuery, RunQuery

MAX_RUNS = 50
"""How many of an environment's newest finished runs its states come from."""
_MAX_CACHED_RUNS, _MAX_CACHED_ENVIRONMENTS = 8, 8
_FINISHED = [int(status) for status in Status if status.finished]

_T = TypeVar("_T")
log = logging.getLogger(__name__)


class RunRepository:
    """Reads the artifacts of each finished run once, and caches the most recently used ones.

    One thread calls its methods. It is not the thread of the event loop, because reading a large manifest
    takes seconds.

    Args:
        cloud: the local dbt Cloud that has the runs.
        loop: the event loop of `cloud`.
    """

    def __init__(self, cloud: Cloud, loop: asyncio.AbstractEventLoop) -> None:
        self._cloud, self._loop = cloud, loop
        self._runs: OrderedDict[Hashable, ParsedArtifacts] = OrderedDict()
        self._environments: OrderedDict[Hashable, tuple[list[Hashable], EnvironmentState]] = OrderedDict()

    def environment(self, environment_id: int, accounts: frozenset[int] | None) -> EnvironmentState | None:
        """Return the states of an environment, or None if the accounts have no such environment.

        Args:
            environment_id: the environment.
            accounts: the accounts that the caller may see, or None for all.
        """
        sources = self._on_event_loop(lambda: self._environment_sources(environment_id, accounts))
        if sources is None:
            return None
        wanted: list[Hashable] = [_key(source) for source in sources]
        added, states = self._environments.get(environment_id, ([], EnvironmentState()))
        known = _count_added(added, wanted)
        # The runs do not continue those added before: a run was seeded into the past, or none of the added
        # runs is among the newest any more.
        if added and not known:
            states = EnvironmentState()
        for source in sources[known:]:
            states.add_run(_read(source))
        _cache(self._environments, environment_id, (wanted, states), _MAX_CACHED_ENVIRONMENTS)
        return states

    def run(self, job_id: int, run_id: int | None, accounts: frozenset[int] | None) -> ParsedArtifacts | None:
        """Return the artifacts of a finished run of a job, or None if there is no such run.

        Args:
            job_id: the job.
            run_id: the run, or None for the newest finished one.
            accounts: the accounts that the caller may see, or None for all.
        """
        source = self._on_event_loop(lambda: self._job_source(job_id, run_id, accounts))
        if source is None:
            return None
        artifacts = self._runs.get(_key(source)) or _read(source)
        _cache(self._runs, _key(source), artifacts, _MAX_CACHED_RUNS)
        return artifacts

    def _on_event_loop(self, read: Callable[[], _T]) -> _T:
        # The store and the clock of the cloud belong to the event loop.
        async def read_on_loop() -> _T:
            return read()

        return asyncio.run_coroutine_threadsafe(read_on_loop(), self._loop).result()

    def _environment_sources(
        self, environment_id: int, accounts: frozenset[int] | None
    ) -> list[ArtifactSource] | None:
        environment = self._cloud.store.definitions.get(EnvironmentRecord, environment_id)
        if environment is None or not _may_see(environment.account_id, accounts):
            return None
        query = RunQuery(environment.account_id, environment_ids=[environment_id], statuses=_FINISHED)
        return [_artifact_source(self._cloud, run) for run in reversed(self._newest(query, MAX_RUNS))]

    def _job_source(
        self, job_id: int, run_id: int | None, accounts: frozenset[int] | None
    ) -> ArtifactSource | None:
        job = self._cloud.store.definitions.get(JobRecord, job_id)
        if job is None or not _may_see(job.account_id, accounts):
            return None
        ids = None if run_id is None else [run_id]
        runs = self._newest(RunQuery(job.account_id, ids=ids, job_ids=[job_id], statuses=_FINISHED), 1)
        return _artifact_source(self._cloud, runs[0]) if runs else None

    def _newest(self, query: RunQuery, limit: int) -> list[RunRecord]:
        return self._cloud.store.runs.find(
            query, PageQuery(limit, 0, "-finished_at"), self._cloud.clock.now()
        )[0]


def _artifact_source(cloud: Cloud, run: RunRecord) -> ArtifactSource:
    texts = None if run.script is None else cloud.script(run).artifacts
    return ArtifactSource(run, cloud.run_dir(run.id), texts)


def _may_see(account_id: int, accounts: frozenset[int] | None) -> bool:
    return accounts is None or account_id in accounts


def _key(source: ArtifactSource) -> Hashable:
    # After a reset, the ids start again, so that other runs have them.
    return source.run.id, source.run.created_at, source.run.finished_at


def _read(source: ArtifactSource) -> ParsedArtifacts:
    try:
        return ParsedArtifacts.read(source)
    except (AttributeError, KeyError, TypeError, ValueError):
        log.warning("The artifacts of run %s are not dbt's. Discovery ignores them.", source.run.id)
        return ParsedArtifacts(RunFacts.of_run(source.run))


def _count_added(added: list[Hashable], wanted: list[Hashable]) -> int:
    """Return how many of the wanted runs are already added, or 0 if the state must be built again."""
    # Both lists go from the oldest run to the newest. The oldest added ones may be too old to be wanted.
    start = added.index(wanted[0]) if wanted and wanted[0] in added else len(added)
    known = len(added) - start
    return known if added[start:] == wanted[:known] else 0


def _cache(cache: OrderedDict[Hashable, _T], key: Hashable, value: _T, limit: int) -> None:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > limit:
        cache.popitem(last=False)
