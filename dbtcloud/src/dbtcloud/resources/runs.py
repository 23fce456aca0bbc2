"""The runs of the account's jobs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dbtcloud.client import endpoints
from dbtcloud.client.errors import ArtifactError, DbtCloudError, InvalidArgument
from dbtcloud.client.models import Run
from dbtcloud.client.protocol import Call, Id, Request, identifier
from dbtcloud.client.run_start import retry_failed_run
from dbtcloud.client.shown_text import shown_value
from dbtcloud.resources.arguments.run_filters import (
    RunOrder,
    StatusFilter,
    TimeBounds,
    TimeFilter,
    order_query,
    status_query,
)
from dbtcloud.resources.base.faces import F, Resource, Stream, listing, operation, stream
from dbtcloud.resources.base.pages import Listing
from dbtcloud.resources.progress.run_progress import (
    POLL_INTERVAL,
    OnProgress,
    RunProgress,
    check_callback,
    poll_schedule,
)

if TYPE_CHECKING:
    from dbtcloud.report.retry_plan import RetryPlan
    from dbtcloud.report.run_report import RunReport


class Runs(Resource[F]):
    """The runs of the account's jobs (API v2, "Runs")."""

    @listing
    def list(
        self,
        *,
        job_id: Id | None = None,
        project_id: Id | None = None,
        environment_id: Id | None = None,
        status: StatusFilter | Iterable[StatusFilter] | None = None,
        created_after: TimeFilter | None = None,
        finished_after: TimeFilter | None = None,
        include_related: Iterable[str] | None = None,
        order_by: RunOrder = "-id",
        limit: int | None = None,
    ) -> Listing[Run]:
        """List runs, the newest first (API v2, "List Runs").

        `total` of the list is what dbt Cloud counts: with a time, it counts some runs before it as well.

        Args:
            job_id: Only those of this job.
            project_id: Only those of this project.
            environment_id: Only those of this environment.
            status: Only those with this status: a `RunStatus`, a code, a name such as "success" in any case,
                or several of them.
            created_after: Only those that were created later than this. A datetime or date, or one in
                ISO 8601 format; without an offset, it is in UTC.
            finished_after: Only those that ended later than this.
            include_related: What is sent with each run: "trigger", "job", "environment", "run_steps", …
            order_by: "id", "created_at" or "finished_at", with "-" before it for the largest first.
            limit: Largest number of runs; all if None.

        Raises:
            InvalidArgument: If a filter has a value that dbt Cloud does not know.
        """
        bounds = TimeBounds.parse(created_at=created_after, finished_at=finished_after)
        query = {
            "job_definition_id": _optional_id(job_id, "job id"),
            "project_id": _optional_id(project_id, "project id"),
            "environment_id": _optional_id(environment_id, "environment id"),
            "include_related": _names(include_related) or None,
            **status_query(status),
            **bounds.query(),
            **order_query(order_by),
        }
        request = Request.get(self._account_id, "runs", query=query)
        return Listing(request, Run.parse, limit, bounds.keep())

    @operation
    def get(self, run_id: Id, *, include_related: Iterable[str] | None = None) -> Call[Run]:
        """Get a run (API v2, "Retrieve Run").

        Args:
            run_id: The run.
            include_related: What is sent with it: "run_steps", "trigger", "job", "environment",
                "debug_logs", …

        Raises:
            NotFound: If there is no such run.
            DbtCloudError: If the request fails.
        """
        related = _names(include_related)
        return (yield from endpoints.get_run(self._account_id, run_id, include_related=related))

    @operation
    def wait(
        self,
        run_id: Id,
        *,
        timeout: float | None = None,
        on_progress: OnProgress | None = None,
        interval: float = POLL_INTERVAL,
    ) -> Call[Run]:
        """Wait until a run has ended, and return it whatever its outcome.

        `run.is_success` says whether it succeeded; if not, `raise run.error()` says why. Failed polls do not
        end the wait: while dbt Cloud cannot be reached, answers 429 or 5xx, or sends something else than its
        API does, the run is polled again. Refusals end it if they last: a 401 or 403 for five minutes, a 404
        for one. A wait that is interrupted leaves the run running; `cancel` ends that.

        Args:
            run_id: The run.
            timeout: Seconds after which the wait ends, within a second; a day if None.
            on_progress: Called with the run, with its steps, at first and whenever its status or its current
                step has changed. An error that it raises ends the wait.
            interval: Seconds between two polls.

        Returns:
            The run, with its steps if there is an `on_progress`.

        Raises:
            RunTimedOut: If the run has not ended in time. It may still be running.
            InvalidArgument: If an argument cannot be used.
            DbtCloudError: If polling fails for good.
        """
        schedule = poll_schedule(interval, timeout)
        progress = RunProgress(self._account_id, run_id, schedule, with_steps=on_progress is not None)
        if on_progress is None:
            return (yield from progress.end())
        check_callback(on_progress)
        while True:
            run = yield from progress.next_change()
            on_progress(run)
            if run.finished:
                return run

    @stream
    def watch(
        self, run_id: Id, *, timeout: float | None = None, interval: float = POLL_INTERVAL
    ) -> Stream[Run]:
        """Yield a run at first, and whenever its status or its current step has changed, until it has ended.

        The last one is the run at its end. Failed polls do not end the iteration (see `wait`).

        Args:
            run_id: The run.
            timeout: Seconds after which the iteration ends, within a second; a day if None.
            interval: Seconds between two polls.

        Yields:
            The run, with its steps.

        Raises:
            RunTimedOut: If the run has not ended in time. It may still be running.
            InvalidArgument: If an argument cannot be used.
            DbtCloudError: If polling fails for good.
        """
        progress = RunProgress(self._account_id, run_id, poll_schedule(interval, timeout), with_steps=True)
        while True:
            (run,) = yield progress.next_item()
            if run.finished:
                return

    @stream
    def logs(
        self,
        run_id: Id,
        *,
        follow: bool = False,
        step: int | None = None,
        debug: bool = False,
        timeout: float | None = None,
        interval: float = POLL_INTERVAL,
    ) -> Stream[str]:
        """Yield the lines of the logs of a run's steps, one step after the other.

        The logs are kept in a temporary file, so that they take little memory whatever their length. Lines
        have no line end and no colours. Failed polls do not end the iteration with `follow` (see `wait`).

        Args:
            run_id: The run.
            follow: Whether to go on until the run has ended, with each line as soon as it is complete. Each
                poll brings the whole logs, since dbt Cloud sends no part of them.
            step: Only the log of this step, by its position from 1.
            debug: Whether the full debug logs are yielded. Steps that do not run dbt have none: then it is
                their usual log.
            timeout: Seconds after which the iteration ends, within a second; a day if None.
            interval: Seconds between two polls.

        Yields:
            The lines.

        Raises:
            RunTimedOut: If the run has not ended in time, with `follow`. It may still be running.
            LogMissing: If none of the steps has a log, although the run has ended.
            InvalidArgument: If there is no such step, or an argument cannot be used.
            NotFound: If there is no such run.
            DbtCloudError: If the logs cannot be read.
        """
        from dbtcloud.resources.progress.run_log_lines import RunLogLines

        schedule = poll_schedule(interval, timeout)
        lines = RunLogLines(self._account_id, run_id, schedule, follow=follow, step=step, debug=debug)
        return (yield from lines.stream())

    @operation
    def cancel(self, run_id: Id) -> Call[Run]:
        """Cancel a run (API v2, "Cancel Run"), and return it.

        It may end a moment later, so `wait` for it if that matters. Cancelling a run that has ended changes
        nothing.

        Args:
            run_id: The run.

        Raises:
            NotFound: If there is no such run.
            DbtCloudError: If the request fails.
        """
        return (yield from endpoints.cancel_run(self._account_id, run_id))

    @operation
    def retry(self, run_id: Id) -> Call[Run]:
        """Start a run that continues a failed one from its point of failure (API v2, "Retry Failed Run").

        It is started exactly once. If an answer gets lost, the job's runs are searched for the new one for up
        to three minutes, and only if there is none is the request sent again.

        Args:
            run_id: The run that failed.

        Returns:
            The new run.

        Raises:
            NotRetryable: If dbt Cloud cannot retry the run. The message says why.
            AmbiguousStart: If it is not clear whether a run was started.
            NotFound: If there is no such run.
            DbtCloudError: If a request fails.
        """
        return (yield from retry_failed_run(self._account_id, run_id))

    @operation
    def retry_plan(self, run_id: Id) -> Call[RetryPlan]:
        """Return what a retry of a run executes: the nodes that are left to do, and dbt commands for them.

        The commands are for `steps_override` of a new run, also where dbt Cloud cannot retry the run. A run
        that is still running or has succeeded has an empty plan.

        Args:
            run_id: The run.

        Raises:
            NotFound: If there is no such run.
            ArtifactError: If the results of a step are not as dbt writes them.
            DbtCloudError: If the run or one of its results cannot be read.
        """
        from dbtcloud.report.retry_plan_reader import read_retry_plan

        try:
            return (yield from read_retry_plan(self._account_id, run_id))
        except DbtCloudError:
            raise
        except ValueError as error:
            raise ArtifactError(
                f"The results of run {run_id} cannot be used",
                why=str(error),
                fix="Look at the run_results.json of its steps in dbt Cloud",
            ) from error

    @operation
    def report(self, run_id: Id) -> Call[RunReport]:
        """Return the report of a run: the results of its steps and of their nodes, and why they failed.

        The report of a run that is still running has the results so far.

        Args:
            run_id: The run.

        Raises:
            NotFound: If there is no such run.
            DbtCloudError: If the run cannot be read. If its results cannot, the report's `gaps` say so.
        """
        from dbtcloud.report.run_report_reader import read_run_report

        return (yield from read_run_report(self._account_id, run_id))


def _optional_id(value: Id | None, what: str) -> str | None:
    return None if value is None else identifier(value, what)


def _names(include_related: Iterable[str] | None) -> tuple[str, ...]:
    # A text is an iterable of its letters.
    if isinstance(include_related, str):
        return (include_related,)
    given: object = include_related
    if given is not None and not isinstance(given, Iterable):
        raise InvalidArgument(
            f"include_related cannot be {shown_value(include_related)}",
            fix='Give names, such as ["run_steps"]',
        )
    return tuple(include_related or ())
