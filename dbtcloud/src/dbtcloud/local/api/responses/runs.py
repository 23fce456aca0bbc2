"""Runs, steps and triggers as dbt Cloud's Admin API v2 writes them."""

from collections.abc import Collection
from typing import Any

from dbtcloud.local.model.clock import Duration, Timestamp
from dbtcloud.local.model.records import RunRecord, Status, StepRecord

_OVERRIDES = (
    "git_branch",
    "git_sha",
    "azure_pull_request_id",
    "github_pull_request_id",
    "gitlab_merge_request_id",
    "non_native_pull_request_id",
    "schema_override",
    "dbt_version_override",
    "threads_override",
    "target_name_override",
    "generate_docs_override",
    "timeout_seconds_override",
    "steps_override",
)
"""The fields of a trigger beside its cause (`TriggerRunRequestRequest`), in the order of the response."""

_HUMANIZED = {
    Status.QUEUED: "Queued",
    Status.STARTING: "Starting",
    Status.RUNNING: "Running",
    Status.SUCCESS: "Success",
    Status.ERROR: "Error",
    Status.CANCELLED: "Cancelled",
}
_COLOURS = {Status.SUCCESS: "GREEN", Status.ERROR: "RED", Status.CANCELLED: "YELLOW"}
_TRIGGER_ID_OFFSET = 1_000_000
_MAX_LOG_LINES = 1_000


class RunJson:
    """A run as dbt Cloud writes it at one instant.

    Args:
        run: the run.
        now: the instant, in microseconds since 1970.
        base_url: the address of the local dbt Cloud.
    """

    def __init__(self, run: RunRecord, now: int, base_url: str) -> None:
        self._run, self._now, self._base_url = run, now, base_url
        self._status = run.status(now)

    def content(self, *, blocked_by: Collection[int] = ()) -> dict[str, Any]:
        """Return the run without related objects.

        Those are null or empty until `include_related` names them. `blocked_by` has the ids of the runs that
        it waits for.
        """
        run = self._run
        path = f"/deploy/{run.account_id}/projects/{run.project_id}/runs/{run.id}/"
        return {
            **self._identity(),
            "blocked_by": list(blocked_by),
            **self._instants(),
            "last_checked_at": None,
            "last_heartbeat_at": None,
            "should_start_at": None,
            "trigger": None,
            "job": None,
            "environment": None,
            "run_steps": [],
            "deprecation": None,
            **self._flags(),
            **self._durations(),
            "retrying_run_id": run.retrying_run_id,
            "can_retry": False,
            "retry_not_supported_reason": "RETRY_NOT_FAILED_RUN",
            "job_id": run.job_id,
            "is_running": None,
            "href": f"{self._base_url}{path}",
            "used_repo_cache": None,
            **({"_local": {"pretended": True}} if run.script else {}),
        }

    def trigger(self) -> dict[str, Any]:
        """Return the trigger of the run: its cause and every override, null where there was none."""
        run = self._run
        cause = run.trigger.get("cause", "")
        return {
            "id": run.id + _TRIGGER_ID_OFFSET,
            "cause": cause,
            "job_definition_id": run.job_id,
            **{name: run.trigger.get(name) for name in _OVERRIDES},
            "created_at": Timestamp.spaced(run.created_at),
            "cause_humanized": cause,
            "job": None,
            "cause_category": run.trigger.get("cause_category", "api"),
        }

    def audit(self) -> dict[str, Any]:
        """Return the starter and the canceller of the run, which are always the same service token."""
        by_token = {"actor": {"id": "1", "type": "service_token", "name": "Local dbt Cloud"}}
        cancelled = self._status is Status.CANCELLED
        return {"trigger": by_token, "cancellation": by_token if cancelled else None}

    def _identity(self) -> dict[str, Any]:
        run, status = self._run, self._status
        taken = status >= Status.STARTING and run.dequeued_at is not None
        saved = status.finished and run.started_at is not None
        return {
            "id": run.id,
            "trigger_id": run.id + _TRIGGER_ID_OFFSET,
            "account_id": run.account_id,
            "environment_id": run.environment_id,
            "project_id": run.project_id,
            "job_definition_id": run.job_id,
            "status": int(status),
            "dbt_version": run.dbt_version or run.trigger.get("dbt_version_override") or "latest",
            "git_branch": run.git_branch or run.trigger.get("git_branch"),
            "git_sha": run.git_sha or run.trigger.get("git_sha"),
            "status_message": run.message if status.finished else None,
            "owner_thread_id": None,
            "executed_by_thread_id": f"local-run-{run.id}" if taken else None,
            "deferring_run_id": None,
            "artifacts_saved": saved,
            "artifact_s3_path": f"local/runs/{run.id}/artifacts/target" if saved else None,
            "has_docs_generated": saved and run.docs and status is Status.SUCCESS,
            "has_sources_generated": saved and run.sources and status is Status.SUCCESS,
            "notifications_sent": status.finished,
        }

    def _instants(self) -> dict[str, str | None]:
        run = self._run
        others = [self._past(each) for each in (run.dequeued_at, run.started_at, run.finished_at)]
        last = max(instant for instant in (run.created_at, *others) if instant is not None)
        names = ("created_at", "updated_at", "dequeued_at", "started_at", "finished_at")
        return dict(zip(names, map(Timestamp.spaced, (run.created_at, last, *others)), strict=True))

    def _flags(self) -> dict[str, Any]:
        status = self._status
        return {
            "status_humanized": _HUMANIZED[status],
            "in_progress": not status.finished,
            "is_complete": status.finished,
            "is_success": status is Status.SUCCESS,
            "is_error": status is Status.ERROR,
            "is_cancelled": status is Status.CANCELLED,
        }

    def _durations(self) -> dict[str, str]:
        created, now = self._run.created_at, self._now
        finished, started = self._past(self._run.finished_at), self._past(self._run.started_at)
        end = now if finished is None else finished
        lasted = {
            "duration": end - created,
            "queued_duration": (end if started is None else started) - created,
            "run_duration": 0 if started is None else end - started,
        }
        ended = "0 minutes from now" if finished is None else f"{Duration(now - finished).humanised()} ago"
        return {
            **{name: Duration(span).clock() for name, span in lasted.items()},
            **{f"{name}_humanized": Duration(span).humanised() for name, span in lasted.items()},
            "created_at_humanized": f"{Duration(now - created).humanised()} ago",
            "finished_at_humanized": ended,
        }

    def _past(self, instant: int | None) -> int | None:
        # The store knows all instants of a simulated run from its start.
        return instant if instant is not None and instant <= self._now else None


def step_json(step: StepRecord, now: int, debug_log: str, *, is_full: bool) -> dict[str, Any]:
    """Return a step. Unless `is_full`, its debug log is cut to the last thousand lines."""
    finished = step.finished_at if step.finished_at is not None else now
    lasted = finished - (step.started_at if step.started_at is not None else finished)
    return {
        "id": step.id,
        "run_id": step.run_id,
        "account_id": step.account_id,
        "index": step.index,
        "status": int(step.status),
        "name": step.name,
        "logs": step.logs,
        "debug_logs": debug_log if is_full else None,
        "log_location": "db",
        "log_path": None,
        "debug_log_path": None,
        "log_archive_type": "db_flushed",
        "truncated_debug_logs": "\n".join(debug_log.splitlines()[-_MAX_LOG_LINES:]),
        "created_at": Timestamp.spaced(step.started_at),
        "updated_at": Timestamp.spaced(finished),
        "started_at": Timestamp.spaced(step.started_at),
        "finished_at": Timestamp.spaced(step.finished_at),
        "status_color": _COLOURS.get(step.status, "BLUE"),
        "status_humanized": _HUMANIZED[step.status],
        "duration": Duration(lasted).clock(),
        "duration_humanized": Duration(lasted).humanised(),
        "run_step_command": {"run_step_id": step.id, "dbt_command": step.command} if step.command else None,
        "run_step_invocation": None,
    }
