"""What a try has asked dbt Cloud for without an answer, kept where the next try of the task sees it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from dbtcloud.client.errors import AmbiguousStart

if TYPE_CHECKING:
    from airflow.sdk import Context

KEY = "dbt_cloud_start_asked_for"
"""Under which key of a task's state it is kept."""

_LOG = logging.getLogger(__name__)


class Pending:
    """A start whose answer has not come, in Airflow's task state; before Airflow 3.3 nothing is kept.

    Args:
        context: Airflow's context of the try.
    """

    def __init__(self, context: Context) -> None:
        self._store: Any = context.get("task_state_store")

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Keep what the block asks for until it is known what came of it: a worker may die meanwhile."""
        self._do("set", KEY, what)
        try:
            yield
        except DbtCloudApiException as error:
            if not isinstance(error.error, AmbiguousStart):
                self._do("delete", KEY)
            raise
        self._do("delete", KEY)

    def left(self) -> str | None:
        """What an earlier try has left here."""
        found = self._do("get", KEY)
        return found if isinstance(found, str) else None

    def _do(self, verb: str, *arguments: str) -> object:
        if self._store is None:
            return None
        try:
            return getattr(self._store, verb)(*arguments)
        except Exception:  # noqa: BLE001 -- without it a try looks once, as on earlier Airflow
            _LOG.debug("The task's state cannot be used.", exc_info=True)
            return None
