"""Finished runs and what they have left behind: found on the server's event loop, read and kept off it."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

from dbtcloud.local.discovery.records import LeftBehind, RunArtifacts, facts_of, read_record
from dbtcloud.local.discovery.states import EnvironmentStates
from dbtcloud.local.model.records import EnvironmentRecord, JobRecord, RunRecord, Status
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.store.interface import PageQuery, RunQuery

MOST_RUNS = 50
"""An environment's states are made of as many of its newest finished runs."""
_MOST_RECORDS, _MOST_ENVIRONMENTS = 8, 8
_ENDED = [int(status) for status in Status if status.finished]

T = TypeVar("T")
log = logging.getLogger(__name__)


class Archive:
    """Reads what finished runs have left behind, once, and keeps the newest of it.

    Its methods are called from one thread, which is not the event loop's: a large manifest takes seconds.

    Args:
        cloud: whose runs.
        loop: the event loop that `cloud` belongs to.
    """

    def __init__(self, cloud: Cloud, loop: asyncio.AbstractEventLoop) -> None:
        self._cloud, self._loop = cloud, loop
        self._records: OrderedDict[Hashable, RunArtifacts] = OrderedDict()
        self._environments: OrderedDict[Hashable, tuple[list[Hashable], EnvironmentStates]] = OrderedDict()

    def environment(self, environment_id: int, accounts: frozenset[int] | None) -> EnvironmentStates | None:
        """Return the states of an environment; None when there is none in these accounts (None: in any)."""
        left = self._ask(lambda: self._of_environment(environment_id, accounts))
        if left is None:
            return None
        wanted: list[Hashable] = [_key(each) for each in left]
        taken, states = self._environments.get(environment_id, ([], EnvironmentStates()))
        known = _continued(taken, wanted)
        if taken and not known:
            # A run was seeded into the past, or so many came that none of the old ones is among them.
            states = EnvironmentStates()
        for each in left[known:]:
            states.take(_read(each))
        _keep(self._environments, environment_id, (wanted, states), _MOST_ENVIRONMENTS)
        return states

    def run(self, job_id: int, run_id: int | None, accounts: frozenset[int] | None) -> RunArtifacts | None:
        """Return what a finished run of a job has left behind, the newest unless named; None for none."""
        left = self._ask(lambda: self._of_job(job_id, run_id, accounts))
        if left is None:
            return None
        record = self._records.get(_key(left)) or _read(left)
        _keep(self._records, _key(left), record, _MOST_RECORDS)
        return record

    def _ask(self, question: Callable[[], T]) -> T:
        async def on_loop() -> T:
            return question()

        return asyncio.run_coroutine_threadsafe(on_loop(), self._loop).result()

    def _of_environment(
        self, environment_id: int, accounts: frozenset[int] | None
    ) -> list[LeftBehind] | None:
        environment = self._cloud.store.definitions.get(EnvironmentRecord, environment_id)
        if environment is None or not _seen(environment.account_id, accounts):
            return None
        query = RunQuery(environment.account_id, environment_ids=[environment_id], statuses=_ENDED)
        return [_left_behind(self._cloud, run) for run in reversed(self._newest(query, MOST_RUNS))]

    def _of_job(self, job_id: int, run_id: int | None, accounts: frozenset[int] | None) -> LeftBehind | None:
        job = self._cloud.store.definitions.get(JobRecord, job_id)
        if job is None or not _seen(job.account_id, accounts):
            return None
        ids = None if run_id is None else [run_id]
        runs = self._newest(RunQuery(job.account_id, ids=ids, job_ids=[job_id], statuses=_ENDED), 1)
        return _left_behind(self._cloud, runs[0]) if runs else None

    def _newest(self, query: RunQuery, most: int) -> list[RunRecord]:
        return self._cloud.store.runs.find(
            query, PageQuery(most, 0, "-finished_at"), self._cloud.clock.now()
        )[0]


def _left_behind(cloud: Cloud, run: RunRecord) -> LeftBehind:
    texts = None if run.script is None else cloud.script(run).artifacts
    return LeftBehind(run, cloud.run_dir(run.id), texts)


def _seen(account_id: int, accounts: frozenset[int] | None) -> bool:
    return accounts is None or account_id in accounts


def _key(left: LeftBehind) -> Hashable:
    # After a reset the same ids stand for other runs.
    return left.run.id, left.run.created_at, left.run.finished_at


def _read(left: LeftBehind) -> RunArtifacts:
    try:
        return read_record(left)
    except (AttributeError, KeyError, TypeError, ValueError):
        log.warning("The artifacts of run %s are none of dbt's; Discovery leaves them out.", left.run.id)
        return RunArtifacts(facts_of(left.run))


def _continued(taken: list[Hashable], wanted: list[Hashable]) -> int:
    """How many of the wanted runs were taken before, in the same order and at the end; 0 to begin again."""
    start = taken.index(wanted[0]) if wanted and wanted[0] in taken else len(taken)
    known = len(taken) - start
    return known if taken[start:] == wanted[:known] else 0


def _keep(kept: OrderedDict[Hashable, T], key: Hashable, value: T, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > most:
        kept.popitem(last=False)
