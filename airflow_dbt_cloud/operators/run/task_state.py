"""The marker of a task's runs, and the state that Airflow keeps from try to try."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from dbtcloud.client.errors import AmbiguousStart
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Run

if TYPE_CHECKING:
    from airflow.sdk import Context
    from requests import Response

_KEY = "dbt_cloud_starts"
_MAX_STARTS = 100  # of a task that starts more, the last ones are kept

# What belongs to a task instance's identity beyond its map index: Airflow 3.4 tells the iterations of a loop
# apart by `region_id` and `region_index`.
_IDENTITY = re.compile(r"(^|_)(region|loop|iteration)(_|$)")
_NO_REGION = {"None", "-1", str(UUID(int=0))}

_LOG = logging.getLogger(__name__)

# How often this process has started what, so that two `execute` calls in one task are two starts.
_STARTS: Counter[tuple[object, ...]] = Counter()


@dataclass(frozen=True, slots=True)
class KeptStart:
    """A start of an earlier try, as its task's state has it.

    Attributes:
        marker: The marker of the try.
        run_id: The run, or None if the outcome of the start is not known.
        retried_run_id: The run that it retries from its failure, or None.
    """

    marker: Marker
    run_id: int | None = None
    retried_run_id: int | None = None

    @classmethod
    def parse(cls, text: str, ids: Any) -> Self | None:
        """Return a start that was stored, or None if it is not one."""
        marker = Marker.find(text)
        if marker is None or not isinstance(ids, list) or len(ids) != 2:
            return None
        return cls(marker, *(each if isinstance(each, int) else None for each in ids))

    def is_of(self, run: Run) -> bool:
        """Return whether it started a run."""
        if run.id == self.run_id:
            return True
        if self.retried_run_id is not None:
            return run.retried_run_id == self.retried_run_id
        return Marker.find(run.cause) == self.marker


class TaskState:
    """Facts that a try keeps for the later tries of its task, in Airflow's task state store.

    Airflow has that store from 3.3 on. Before, and where it does not answer, nothing is kept. From 3.4 on, a
    clear of the task discards it.

    Args:
        context: Airflow's context of the try.

    Attributes:
        dag_run_start: When the DAG run first started, or None. None of its tasks has started a dbt Cloud run
            before that.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store: Any = context.get("task_state_store")
        stored = self._use("get", _KEY)
        self._stored: dict[str, Any] = dict(stored) if isinstance(stored, dict) else {}
        start = getattr(context.get("dag_run"), "start_date", None)
        self.dag_run_start = self._first_start(start) if isinstance(start, datetime) else None

    def make_marker(self, job_id: object, payload: dict[str, Any]) -> Marker:
        """Return the marker of a start in this try.

        It is random where the context has no task instance.

        Args:
            job_id: The job.
            payload: The overrides of the request.
        """
        # The start tells apart two deployments, or a DAG run that was deleted and created again, with the
        # same names.
        started = round(self.dag_run_start.timestamp() * 1_000_000) if self.dag_run_start else 0
        try:
            ti = self._context["ti"]
            names = (ti.dag_id, ti.run_id, ti.task_id, ti.map_index, started)
            task = Marker.digest(*names, *_identity_beyond_map_index(ti))
            # A clear of a finished or deferred task raises Airflow's `max_tries`, a retry does not.
            generation, attempt = int(ti.max_tries), int(ti.try_number)
        except (AttributeError, KeyError, TypeError, ValueError):
            return Marker.random()
        what = Marker.payload_digest(job_id, payload)
        key = (task, generation, attempt, what)
        _STARTS[key] += 1
        return Marker(task, generation, attempt, f"{what}{_STARTS[key] - 1}")

    def starts(self) -> list[KeptStart]:
        """Return what earlier tries have started, or requested without learning the outcome."""
        starts = self._stored.get("starts")
        parsed = (KeptStart.parse(*each) for each in (starts if isinstance(starts, dict) else {}).items())
        return [each for each in parsed if each is not None]

    def knows_all_starts(self, runs: Iterable[Run]) -> bool:
        """Return whether the outcome of every start of earlier tries is kept, or is among these runs."""
        listed = list(runs)
        known = (start.run_id or any(map(start.is_of, listed)) for start in self.starts())
        return self._store is not None and all(known)

    def is_first_of_generation(self, marker: Marker) -> bool:
        """Return whether no earlier try has had the same `max_tries`: somebody has cleared the task."""
        task = getattr(self._context.get("ti"), "task", None) or self._context.get("task")
        retries = getattr(task, "retries", None)
        # Airflow sets `max_tries` to the retries, and at a clear to the tries so far plus the retries.
        return isinstance(retries, int) and marker.attempt + retries <= marker.generation + 1

    def keep_start(
        self, marker: Marker, request: Callable[[], Response], *, retried_run_id: int | None = None
    ) -> Response:
        """Return the answer to `request`, and keep for later tries that it was sent, and the run's id.

        The worker may die in between.
        """
        self._keep(marker, [None, retried_run_id])
        try:
            answer = request()
        except DbtCloudApiException as error:
            if not isinstance(error.error, AmbiguousStart):
                self._keep(marker, None)
            raise
        if self._store is not None:
            self._keep(marker, [answer.json()["data"]["id"], retried_run_id])
        return answer

    def _keep(self, marker: Marker, ids: list[int | None] | None) -> None:
        """Store the ids of a start, or forget it."""
        starts = dict(self._stored.get("starts") or {})
        starts.pop(str(marker), None)
        if ids is not None:
            starts[str(marker)] = ids
        self._stored["starts"] = dict(list(starts.items())[-_MAX_STARTS:])
        self._use("set", _KEY, self._stored)

    def _first_start(self, start: datetime) -> datetime:
        """Return the start of the DAG run that an earlier try kept, or this one."""
        # A clear of a finished DAG run gives it a new start.
        with suppress(KeyError, TypeError, ValueError):
            return datetime.fromisoformat(self._stored["dag_run_start"])
        self._stored["dag_run_start"] = start.isoformat()  # stored with the first start
        return start

    def _use(self, verb: str, *arguments: object) -> object:
        if self._store is None:
            return None
        try:
            return getattr(self._store, verb)(*arguments)
        except Exception:  # noqa: BLE001 -- without it a try does as on earlier Airflow
            _LOG.debug("The task's state cannot be used.", exc_info=True)
            return None


def _identity_beyond_map_index(ti: object) -> list[str]:
    """Return what tells apart task instances of the same map index, as "name=value" (none outside loops)."""
    names = getattr(type(ti), "model_fields", None) or getattr(ti, "__dict__", {})
    values = ((name, str(getattr(ti, name, None))) for name in sorted(names) if _IDENTITY.search(name))
    found = [f"{name}={value}" for name, value in values if value not in _NO_REGION]
    # Outside a loop the region has no id, and its index is the map index.
    return found if found != [f"region_index={getattr(ti, 'map_index', None)}"] else []
