"""The marker of a task's runs, and the state that Airflow keeps from try to try."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from dbtcloud.client.errors import AmbiguousStart
from dbtcloud.client.marker import Marker

if TYPE_CHECKING:
    from airflow.sdk import Context

_DAG_RUN_START = "dbt_cloud_dag_run_start"
_SUBMITTED = "dbt_cloud_start_asked_for"

_LOG = logging.getLogger(__name__)

# How often this process has started what, so that two `execute` calls in one task are two starts.
_STARTS: Counter[tuple[object, ...]] = Counter()


class TaskState:
    """Facts that a try keeps for the later tries of its task, in Airflow's task state store.

    Airflow has that store from 3.3 on. Before, and where it does not answer, nothing is kept.

    Args:
        context: Airflow's context of the try.

    Attributes:
        dag_run_start: When the DAG run first started, or None. None of its tasks has started a dbt Cloud run
            before that.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store: Any = context.get("task_state_store")
        start = getattr(context.get("dag_run"), "start_date", None)
        self.dag_run_start = self._keep_first(start) if isinstance(start, datetime) else None

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
            task = Marker.digest(ti.dag_id, ti.run_id, ti.task_id, ti.map_index, started)
            # A clear of a finished or deferred task raises Airflow's `max_tries`, a retry does not.
            generation, attempt = int(ti.max_tries), int(ti.try_number)
        except (AttributeError, KeyError, TypeError, ValueError):
            return Marker.random()
        what = Marker.payload_digest(job_id, payload)
        key = (task, generation, attempt, what)
        _STARTS[key] += 1
        return Marker(task, generation, attempt, f"{what}{_STARTS[key] - 1}")

    def _keep_first(self, start: datetime) -> datetime:
        """Return the start of the DAG run that an earlier try kept, or keep this one."""
        # A clear of a finished DAG run gives it a new start.
        kept = self._use("get", _DAG_RUN_START)
        if isinstance(kept, str):
            with suppress(ValueError):
                return datetime.fromisoformat(kept)
        self._use("set", _DAG_RUN_START, start.isoformat())
        return start

    @contextmanager
    def submitting(self, what: str) -> Iterator[None]:
        """Keep what the block requests until its outcome is known: the worker may die meanwhile."""
        self._use("set", _SUBMITTED, what)
        try:
            yield
        except DbtCloudApiException as error:
            if not isinstance(error.error, AmbiguousStart):
                self._use("delete", _SUBMITTED)
            raise
        self._use("delete", _SUBMITTED)

    def submitted(self) -> str | None:
        """Return what an earlier try requested without learning the outcome, or None."""
        found = self._use("get", _SUBMITTED)
        return found if isinstance(found, str) else None

    def _use(self, verb: str, *arguments: str) -> object:
        if self._store is None:
            return None
        try:
            return getattr(self._store, verb)(*arguments)
        except Exception:  # noqa: BLE001 -- without it a try does as on earlier Airflow
            _LOG.debug("The task's state cannot be used.", exc_info=True)
            return None
