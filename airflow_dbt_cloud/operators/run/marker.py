"""Who a task is, as the mark in a run's cause says it."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dbtcloud.client.marker import Marker, digest, payload_digest

if TYPE_CHECKING:
    from airflow.sdk import Context

FIRST_START = "dbt_cloud_dag_run_start"
"""Under which key a task keeps when its DAG run first began."""

_LOG = logging.getLogger(__name__)

_STARTS: Counter[tuple[object, ...]] = Counter()
"""How often this process has started what, so that two `execute` calls in one task are two starts."""


def mark_of(context: Context, job_id: object, payload: dict[str, Any]) -> Marker:
    """The mark of a start in this try of this task.

    The DAG run's start tells apart two deployments, or a DAG run that was deleted and made anew, with the
    same names. A clear of a finished or deferred task raises Airflow's `max_tries`, a retry does not.
    """
    try:
        ti = context["ti"]
        task = digest(ti.dag_id, ti.run_id, ti.task_id, ti.map_index, _microseconds(dag_run_start(context)))
        generation, attempt = int(ti.max_tries), int(ti.try_number)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Marker.random()  # a context of somebody's own making
    what = payload_digest(job_id, payload)
    key = (task, generation, attempt, what)
    _STARTS[key] += 1
    return Marker(task, generation, attempt, f"{what}{_STARTS[key] - 1}")


def dag_run_start(context: Context) -> datetime | None:
    """When the DAG run first began, before which none of its tasks has started anything.

    A clear of a finished DAG run gives it a new start; on Airflow 3.3 and later the task keeps the first one.
    """
    start = getattr(context.get("dag_run"), "start_date", None)
    return _first(context, start) if isinstance(start, datetime) else None


def _first(context: Context, start: datetime) -> datetime:
    """The start that an earlier try has kept, or else this one, kept for the next."""
    store: Any = context.get("task_state_store")
    if store is None:
        return start
    try:
        if kept := store.get(FIRST_START):
            return datetime.fromisoformat(kept)
        store.set(FIRST_START, start.isoformat())
    except Exception:  # noqa: BLE001 -- without it the present start does, as on earlier Airflow
        _LOG.debug("The first start of the DAG run cannot be kept.", exc_info=True)
    return start


def _microseconds(moment: datetime | None) -> int:
    return round((moment or datetime.fromtimestamp(0, UTC)).timestamp() * 1_000_000)
