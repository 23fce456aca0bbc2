"""The trigger that waits for a run of dbt Cloud in the triggerer."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_dbt_cloud import lazy
from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.job_runs.progress import ProgressLog, StepPolls
from airflow_dbt_cloud.job_runs.status import DbtCloudJobRunStatus
from airflow_dbt_cloud.triggers.cancel_on_kill import cancel_if_killed
from dbtcloud.client.errors import ConnectionUnreadable, DbtCloudError
from dbtcloud.client.failure_tolerance import FailureTolerance
from dbtcloud.client.run_status import FINISHED, RunStatus
from dbtcloud.client.run_wait import LAST_POLL_SECONDS

if TYPE_CHECKING:
    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from airflow_dbt_cloud.hooks.polling.shared_poller import SharedPoll

_OUTCOMES = {
    RunStatus.SUCCESS: ("success", "Job run {} has completed successfully."),
    RunStatus.CANCELLED: ("cancelled", "Job run {} has been cancelled."),
    RunStatus.ERROR: ("error", "Job run {} has failed."),
}

_OFFICIAL_ARGUMENTS = ("conn_id", "run_id", "end_time", "poll_interval", "account_id", "execution_deadline")

_OWN_ARGUMENTS = {
    "not_before": None,
    "owned": None,
    "adopted": False,
    "cancel_on_timeout": False,
    "start_time": None,
}
"""Arguments that the official provider's trigger lacks, and their defaults."""


__all__ = ["DbtCloudJobRunStatus", "DbtCloudRunJobTrigger"]


def __getattr__(name: str) -> Any:
    return lazy.resolve(__name__, name)


class DbtCloudRunJobTrigger(BaseTrigger):
    """Waits until a run ends or a deadline passes, then sends one event.

    The event is `{"status": "success" | "cancelled" | "error" | "timeout", "message": str, "run_id": int}`.
    An "error" with `"reachable"` False says that the trigger has lost contact with the run, which may still
    be running. Where `owned` is None, the rest is as in apache-airflow-providers-dbt-cloud: "error" says that
    `end_time` has passed, "timeout" that `execution_deadline` has. Otherwise both are a "timeout" with the
    key `"cancel"`: True if the task is to cancel the run. Arguments that this release does not know are
    ignored and missing ones have defaults, so that a trigger deferred by another release goes on waiting.

    Args:
        conn_id: The connection.
        run_id: The run.
        end_time: When the wait ends, in seconds since the epoch; None for never.
        poll_interval: Seconds between two polls.
        account_id: The account; the connection's if None.
        hook_params: Further arguments of `DbtCloudHook`.
        execution_deadline: When the task's execution timeout passes, in seconds since the epoch.
        not_before: When the first poll may come, in seconds since the epoch. An event within some seconds of
            the deferral makes Airflow's scheduler fail the task now and then (apache/airflow #66374).
        owned: Whether the task started the run, and so may cancel it. None where that is not known, as in a
            row of apache-airflow-providers-dbt-cloud or an operator of a user's own: a kill then cancels
            nothing.
        adopted: Whether an earlier try of the task started the run.
        cancel_on_timeout: Whether the end of the wait cancels the run.
        start_time: When the wait began, in seconds since the epoch; None where that is not known.
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
        start_time: float | None = None,
        **_unknown: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.conn_id, self.run_id, self.account_id = conn_id, run_id, account_id
        self.end_time, self.execution_deadline, self.not_before = end_time, execution_deadline, not_before
        self.owned, self.adopted, self.cancel_on_timeout = owned, adopted, cancel_on_timeout
        self.poll_interval, self.hook_params, self.start_time = poll_interval, hook_params or {}, start_time

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and its arguments, as JSON can hold them.

        Those that the official provider lacks are left out where they have their defaults.
        """
        from airflow_dbt_cloud.tasks.deferral import storable_hook_params

        kwargs = {name: getattr(self, name) for name in (*_OFFICIAL_ARGUMENTS, *_OWN_ARGUMENTS)}
        kwargs = {name: value for name, value in kwargs.items() if value != _OWN_ARGUMENTS.get(name, self)}
        hook_params = storable_hook_params(self.hook_params, self.log)
        return f"{type(self).__module__}.{type(self).__qualname__}", {**kwargs, "hook_params": hook_params}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for the run's end, a deadline, or an error that lasts, and send it as an event."""
        try:
            if self.not_before is not None:
                await asyncio.sleep(max(0.0, self.not_before - time.time()))
            with StepPolls.count_run():
                event = await self._wait()
        except DbtCloudError as error:
            message = f"Lost contact with job run {self.run_id}; it may still be running. {error}"
            event = self._event("error", message, reachable=False)
        except asyncio.CancelledError:
            if not hasattr(BaseTrigger, "on_kill"):  # before Airflow 3.3 a kill only cancels the trigger
                await cancel_if_killed(self)
            raise
        yield TriggerEvent(event)

    async def on_kill(self) -> None:
        """Cancel the run when a user has marked or cleared the task (Airflow 3.3)."""
        await cancel_if_killed(self)

    async def is_still_running(self, hook: DbtCloudHook) -> bool:
        """Return whether the run has not ended yet."""
        return await hook.get_job_status(self.run_id, self.account_id) not in FINISHED

    def make_hook(self) -> DbtCloudHook:
        """Return a hook for the trigger's connection."""
        hook: DbtCloudHook = lazy.resolve_patched(__name__, "DbtCloudHook")(self.conn_id, **self.hook_params)
        return hook

    async def _wait(self) -> dict[str, Any]:
        from airflow_dbt_cloud.hooks.polling.shared_poller import SharedPoll

        hook, poll = self.make_hook(), SharedPoll(self.run_id, self.poll_interval, self._shared_by())
        if hasattr(hook, "share_polls"):  # a stand-in for the hook may have the official verbs only
            hook.share_polls(poll)
        progress, tolerance = ProgressLog(self.run_id, self.log), FailureTolerance(time.monotonic, self._warn)
        status: int | None = None
        steps: asyncio.Task[None] | None = None
        try:
            while True:
                status = await self._poll(hook, tolerance, self._limit(status)) or status
                if status in FINISHED:
                    return self._ended(status, hook)
                if status is not None:
                    progress.log_status(status)
                if steps is None and poll.used and StepPolls.apply_to(status):
                    # Beside the polls for the status, which must not be held up by it.
                    steps = asyncio.create_task(self._log_steps(hook, progress))
                if event := self._overdue(hook, status):
                    return await self._ended_meanwhile(hook, poll, tolerance, status) or event
                if not poll.used:  # a verb that somebody has replaced answers at once
                    await asyncio.sleep(self._pause())
        finally:
            if steps is not None:
                steps.cancel()
                await asyncio.wait([steps])

    def _warn(self, message: str) -> None:
        self.log.warning(message)

    def _shared_by(self) -> str:
        """Return the hook arguments that may lead to another dbt Cloud, as text."""
        names = sorted(set(self.hook_params) - {"retry_limit", "retry_delay", "retry_args"})
        return repr([(name, self.hook_params[name]) for name in names])

    def _limit(self, status: int | None) -> float:
        """Return the seconds that a poll may take.

        Until a status is known, that is most of a second even after a deadline: the run may have ended while
        no triggerer was there.
        """
        return max(LAST_POLL_SECONDS if status is None else 0.0, min(self._left()))

    async def _poll(self, hook: DbtCloudHook, tolerance: FailureTolerance, limit: float) -> int | None:
        """Return the run's new status, or None if none came within `limit` seconds or the poll failed."""
        try:
            async with asyncio.timeout(None if math.isinf(limit) else limit):
                status = await hook.get_job_status(self.run_id, self.account_id)
        except TimeoutError:
            return None
        except AirflowException as error:
            cause = self._cause(error)
            if not tolerance.tolerates(cause):
                raise cause from error
            # Without a connection there is no poller that keeps to the interval. Without this pause, a
            # thousand triggers would ask Airflow for the connection as fast as they can.
            if isinstance(cause, ConnectionUnreadable):
                await asyncio.sleep(self._pause())
            return None
        tolerance.succeeded()
        return status

    def _cause(self, error: AirflowException) -> DbtCloudError:
        """Return the client's error behind an exception of Airflow."""
        if isinstance(error, DbtCloudApiException):
            return error.error or DbtCloudError(str(error))
        return ConnectionUnreadable(
            f"Airflow does not return connection {self.conn_id!r}",
            why=str(error),
            fix="Check that it exists, and that Airflow's API server and secrets backends answer",
        )

    async def _log_steps(self, hook: DbtCloudHook, progress: ProgressLog) -> None:
        """Log steps as they start, until cancelled."""
        from dbtcloud.client.models import Run

        polls = StepPolls(time.monotonic)
        while True:
            try:
                if polls.due(RunStatus.RUNNING):
                    details = await hook.get_job_details(self.run_id, self.account_id, ["run_steps"])
                    progress.log_steps_of(Run.parse(details["data"]))
            except Exception as error:  # noqa: BLE001 -- progress is a courtesy; the wait decides about errors
                progress.log_unreadable_steps(error)
            await asyncio.sleep(min(polls.wait(RunStatus.RUNNING), polls.INTERVAL))

    def _ended(self, status: int, hook: DbtCloudHook) -> dict[str, Any]:
        outcome, message = _OUTCOMES[RunStatus(status)]
        return self._event(outcome, message.format(self.run_id) + self._see(hook))

    def _see(self, hook: DbtCloudHook) -> str:
        """Return the end of a message with the run's page, or "" if no poll has named it."""
        from airflow_dbt_cloud.hooks.verbs.own_verb import url_of_run

        url = url_of_run(hook, self.run_id)
        return f" See {url}." if url else ""

    async def _ended_meanwhile(
        self, hook: DbtCloudHook, poll: SharedPoll, tolerance: FailureTolerance, status: int | None
    ) -> dict[str, Any] | None:
        """Return the event if the run has ended since the last poll, which may be a whole interval ago."""
        if status is None:  # the poll just now has failed, and so would this
            return None
        poll.poll_at_once()
        with suppress(DbtCloudError):
            status = await self._poll(hook, tolerance, LAST_POLL_SECONDS)
        return self._ended(status, hook) if status in FINISHED else None

    def _overdue(self, hook: DbtCloudHook, status: int | None) -> dict[str, Any] | None:
        """Return the event if a deadline has passed.

        If both have passed, the execution timeout counts, because it cancels the run.
        """
        now = time.time()
        if self.execution_deadline is not None and now >= self.execution_deadline:
            return self._execution_timed_out(status, self._see(hook))
        if self.end_time is not None and now >= self.end_time:
            return self._wait_timed_out(status, self._see(hook))
        return None

    def _execution_timed_out(self, status: int | None, page: str) -> dict[str, Any]:
        message = f"Job run {self.run_id} has timed out"
        if self.owned is None:
            return self._event("timeout", f"{message}.{page}")
        state = "" if status is None else f" and is still {_state(status)}"
        message += f":{self._waited(' after {}')} it has exceeded the task's execution timeout{state}."
        return self._event("timeout", message + page, cancel=True)

    def _wait_timed_out(self, status: int | None, page: str) -> dict[str, Any]:
        if status is None:
            message = f"Could not reach job run {self.run_id} within the timeout; it may still be running."
        elif self.owned is None:
            state = "has not reached a terminal status within the configured timeout"
            message = f"Job run {self.run_id} {state}."
        else:
            waited = self._waited(" has been waited for {}: it")
            state = f"has not ended within the timeout and is still {_state(status)}"
            message = f"Job run {self.run_id}{waited} {state}."
        if self.owned is None:
            return self._event("error", message + page)
        return self._event("timeout", message + page, cancel=self.cancel_on_timeout)

    def _waited(self, words: str) -> str:
        """Return words with the seconds since the start of the wait in place of {}, or "" if not known."""
        if self.start_time is None:
            return ""
        return words.format(f"{max(0, round(time.time() - self.start_time))} seconds")

    def _pause(self) -> float:
        """Return the seconds to the next poll or, if nearer, to a deadline."""
        return max(0.0, min(self.poll_interval, *self._left()))

    def _left(self) -> tuple[float, float]:
        """Return the seconds to the end of the wait, and to the execution timeout."""
        now, never = time.time(), math.inf
        ends = (self.end_time, self.execution_deadline)
        waiting, execution = (never if end is None else end - now for end in ends)
        return waiting, execution

    def _event(self, status: str, message: str, **facts: Any) -> dict[str, Any]:
        event = {"status": status, "message": message, "run_id": self.run_id, **facts}
        if self.owned is None:  # whoever made this trigger knows the official events
            return event
        ends = {"end_time": self.end_time, "execution_deadline": self.execution_deadline}
        return {**event, "owned": self.owned, "adopted": self.adopted, **ends}


def _state(status: int) -> str:
    """Return the status of a run that has not ended, such as "queued"."""
    return RunStatus.name_of(status).lower()
