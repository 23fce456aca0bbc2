"""The trigger that watches a run of dbt Cloud in the triggerer."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ParamSpec, Self

from airflow.providers.common.compat.sdk import AirflowException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_dbt_cloud import lazy
from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.job_runs.progress import Progress, StepLooks
from airflow_dbt_cloud.triggers.cancel_on_kill import cancel_if_killed
from dbtcloud.client.errors import ConnectionUnreadable, DbtCloudError
from dbtcloud.client.failure_tolerance import FailureTolerance
from dbtcloud.client.models import FINISHED, Run, RunStatus

if TYPE_CHECKING:
    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

LAST_LOOK = 1.0
"""Seconds that a deadline may be overshot by; a triggerer that was down finds runs that ended meanwhile."""

P = ParamSpec("P")

_OUTCOMES = {
    RunStatus.SUCCESS: ("success", "Job run {} has completed successfully."),
    RunStatus.CANCELLED: ("cancelled", "Job run {} has been cancelled."),
    RunStatus.ERROR: ("error", "Job run {} has failed."),
}


def __getattr__(name: str) -> Any:
    return lazy.resolve(__name__, name)


class DbtCloudRunJobTrigger(BaseTrigger):
    """Watches a run until it ends or a deadline passes, then sends one event.

    The event is `{"status": "success" | "cancelled" | "error" | "timeout", "message": str, "run_id": int}`.
    A "timeout" also says `"cancel"`: True when the task's execution timeout passed and the run is to be
    cancelled, False when only the waiting ended. An "error" says `"looked"`: False when the run may go on but
    cannot be looked at. Keys that a release does not know are left alone, missing ones have defaults, so that
    a trigger deferred by another release goes on.

    Args:
        conn_id: The connection.
        run_id: The run.
        end_time: When the waiting ends, in seconds since the epoch; None for never.
        poll_interval: Seconds between two looks.
        account_id: The account; the connection's if None.
        hook_params: Further arguments of `DbtCloudHook`.
        execution_deadline: When the task's execution timeout passes, in seconds since the epoch.
        not_before: When the first look may come, in seconds since the epoch. An event within some seconds of
            the deferral makes Airflow's scheduler fail the task now and then (apache/airflow #66374).
        owned: Whether the task started the run, and so may cancel it. None where that is not known, as in a
            row of the provider before this one: the execution timeout then cancels, a kill does not.
        adopted: Whether an earlier try of the task started it.
        cancel_on_timeout: Whether the end of the waiting cancels the run.
    """

    def __init__(  # noqa: PLR0917 -- keyword arguments of a stored row; users' calls are positional
        self,
        conn_id: str = "dbt_cloud_default",
        run_id: int = 0,
        end_time: float | None = None,
        poll_interval: float = 60,
        account_id: int | None = None,
        hook_params: dict[str, Any] | None = None,
        execution_deadline: float | None = None,
        not_before: float | None = None,
        owned: bool | None = None,
        adopted: bool = False,
        cancel_on_timeout: bool = False,
        **_unknown: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.conn_id, self.run_id, self.account_id = conn_id, run_id, account_id
        self.end_time, self.execution_deadline, self.not_before = end_time, execution_deadline, not_before
        self.owned, self.adopted, self.cancel_on_timeout = owned, adopted, cancel_on_timeout
        self.poll_interval, self.hook_params = poll_interval, hook_params or {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class and its arguments, as JSON can hold them."""
        fields = (
            "conn_id",
            "run_id",
            "end_time",
            "poll_interval",
            "account_id",
            "hook_params",
            "execution_deadline",
            "not_before",
            "owned",
            "adopted",
            "cancel_on_timeout",
        )
        place = f"{type(self).__module__}.{type(self).__qualname__}"
        return place, {name: getattr(self, name) for name in fields}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is something to say, and say it."""
        try:
            await asyncio.sleep(max(0.0, (self.not_before or 0) - time.time()))
            with StepLooks.watching():
                event = await self._outcome()
        except asyncio.CancelledError:
            if not hasattr(BaseTrigger, "on_kill"):  # before Airflow 3.3 this is all that a kill does
                await cancel_if_killed(self)
            raise
        yield TriggerEvent(event)

    async def on_kill(self) -> None:
        """Cancel the run when a user has marked or cleared the task (Airflow 3.3)."""
        await cancel_if_killed(self)

    async def is_still_running(self, hook: DbtCloudHook) -> bool:
        """Whether the run has not ended yet."""
        return await hook.get_job_status(self.run_id, self.account_id) not in FINISHED

    async def _outcome(self) -> dict[str, Any]:
        """Wait for the run's end, a deadline, or an error that stays, and describe it as an event."""
        try:
            return await self._watch(lazy.resolve_patched(__name__, "DbtCloudHook"))
        except DbtCloudError as error:
            message = f"Job run {self.run_id} can no longer be looked at, and may go on. {error}"
            return self._event("error", message, looked=False)

    async def _watch(self, hook_class: type[DbtCloudHook]) -> dict[str, Any]:
        hook = hook_class(self.conn_id, **self.hook_params)
        hook.poll_interval, hook.shares_with = self.poll_interval, self._shares_with()
        progress, looks = Progress(self.run_id, self.log), StepLooks(time.monotonic)
        tolerance = FailureTolerance(time.monotonic, self.log.warning)
        status: int | None = None
        async with _Beside() as beside:
            while True:
                status = await self._look(hook, tolerance, self._limit(status)) or status
                if status in FINISHED:
                    return self._ended(status, hook)
                if status is not None:
                    progress.status(status)
                if status is not None and looks.wait(status) < math.inf:
                    beside.do(self._tell_steps, hook, progress, looks)
                if event := self._overdue(hook, status):
                    return await self._ended_since(hook, tolerance, status) or event
                if hook.paces_looks is not True:  # a verb that somebody has replaced answers at once
                    await asyncio.sleep(self._pause())

    def _shares_with(self) -> str:
        """What of the hook's arguments may change whom it speaks to."""
        names = sorted(set(self.hook_params) - {"retry_limit", "retry_delay", "retry_args"})
        return repr([(name, self.hook_params[name]) for name in names])

    def _limit(self, status: int | None) -> float:
        """Seconds for a look; a run not seen yet gets some past any deadline, since it may have ended."""
        return max(LAST_LOOK if status is None else 0.0, min(self._left()))

    async def _look(self, hook: DbtCloudHook, tolerance: FailureTolerance, limit: float) -> int | None:
        """The run's status when it has changed; None where it has not in time, or the look failed."""
        try:
            async with asyncio.timeout(None if math.isinf(limit) else limit):
                status = await hook.get_job_status(self.run_id, self.account_id)
        except TimeoutError:
            return None
        except AirflowException as error:
            cause = self._cause(error)
            if not tolerance.tolerates(cause):
                raise cause from error
            if isinstance(cause, ConnectionUnreadable):  # nothing has paced this look
                await asyncio.sleep(self._pause())
            return None
        tolerance.succeeded()
        return status

    def _cause(self, error: AirflowException) -> DbtCloudError:
        """What kept a look from being made."""
        if isinstance(error, DbtCloudApiException):
            return error.error or DbtCloudError(str(error))
        return ConnectionUnreadable(
            f"Airflow does not hand over connection {self.conn_id!r}",
            why=str(error),
            fix="See that it exists, and that Airflow's API server and secrets backends answer",
        )

    async def _tell_steps(self, hook: DbtCloudHook, progress: Progress, looks: StepLooks) -> None:
        """Tell of steps as they start, beside the looks at the run, which must not be held up by it."""
        while True:
            try:
                if looks.due(RunStatus.RUNNING):
                    details = await hook.get_job_details(self.run_id, self.account_id, ["run_steps"])
                    progress.tell_steps(Run.parse(details["data"]))
            except Exception as error:  # noqa: BLE001 -- progress is a courtesy; the wait decides about errors
                self.log.debug("The steps of run %s cannot be read: %s", self.run_id, error)
            await asyncio.sleep(min(looks.wait(RunStatus.RUNNING), looks.INTERVAL))

    def _ended(self, status: int, hook: DbtCloudHook) -> dict[str, Any]:
        outcome, message = _OUTCOMES[RunStatus(status)]
        return self._event(outcome, message.format(self.run_id) + self._place(hook))

    def _place(self, hook: DbtCloudHook) -> str:
        """Where the run can be seen, as the end of a message; "" where no look has told it."""
        url = hook.run_url(self.run_id)
        return f" See {url}." if isinstance(url, str) else ""

    async def _ended_since(
        self, hook: DbtCloudHook, tolerance: FailureTolerance, status: int | None
    ) -> dict[str, Any] | None:
        """The event for a run that has ended since the last look, which may be a whole interval ago."""
        if status is None:  # it could not be looked at just now
            return None
        hook.look_at_once(self.run_id)
        with suppress(DbtCloudError):
            status = await self._look(hook, tolerance, LAST_LOOK)
        return self._ended(status, hook) if status in FINISHED else None

    def _overdue(self, hook: DbtCloudHook, status: int | None) -> dict[str, Any] | None:
        """The event for a deadline that has passed; the execution timeout goes first, since it cancels."""
        now = time.time()
        if self.execution_deadline is not None and now >= self.execution_deadline:
            message = f"Job run {self.run_id} has exceeded the task's execution timeout."
            return self._event("timeout", message + self._place(hook), cancel=True)
        if self.end_time is not None and now >= self.end_time:
            how = "has not ended within the timeout and is still running"
            if status is None:
                how = "could not be looked at by the end of the timeout, and may go on"
            message = f"Job run {self.run_id} {how}."
            return self._event("timeout", message + self._place(hook), cancel=self.cancel_on_timeout)
        return None

    def _pause(self) -> float:
        """Seconds to the next look; a deadline that is nearer cuts them short."""
        return max(0.0, min(self.poll_interval, *self._left()))

    def _left(self) -> tuple[float, float]:
        """Seconds to the end of the waiting, and to the execution timeout."""
        now, never = time.time(), math.inf
        ends = (self.end_time, self.execution_deadline)
        waiting, execution = (never if end is None else end - now for end in ends)
        return waiting, execution

    def _event(self, status: str, message: str, **facts: Any) -> dict[str, Any]:
        kept = {"owned": self.owned, "adopted": self.adopted}
        ends = {"end_time": self.end_time, "execution_deadline": self.execution_deadline}
        return {"status": status, "message": message, "run_id": self.run_id, **kept, **ends, **facts}


class _Beside:
    """Does a piece of work in a task of its own for as long as a block lasts; then nothing of it is left."""

    __slots__ = ("_task",)

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def do(self, work: Callable[P, Coroutine[Any, Any, None]], *args: P.args, **kwargs: P.kwargs) -> None:
        """Begin, unless that was done before."""
        self._task = self._task or asyncio.create_task(work(*args, **kwargs))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
