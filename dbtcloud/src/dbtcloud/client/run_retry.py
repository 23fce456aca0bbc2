"""Retry a failed run from its point of failure, or explain why dbt Cloud cannot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from dbtcloud.client import endpoints
from dbtcloud.client.endpoints import Id
from dbtcloud.client.errors import BadRequest, Conflict, NotRetryable, Unprocessable
from dbtcloud.client.models import Run, RunStatus, status_name
from dbtcloud.client.protocol import Call
from dbtcloud.client.run_start import start_retry_run

_REASONS: Mapping[str, str] = {
    "RETRY_UNSUPPORTED_CMD": "dbt cannot retry the command that failed",
    "RETRY_UNSUPPORTED_VERSION": "its dbt version cannot retry; dbt 1.6 and later can",
    "RETRY_NOT_LATEST_RUN": "its job has been started again since, and only the latest run can be retried",
    "RETRY_NOT_FAILED_RUN": "it did not end in error",
    "RETRY_NO_RUN_RESULTS": "it has no run_results.json, for example because the project does not compile",
}
"""Explanations of a run's `retry_not_supported_reason` (API v2, "Retrieve Run")."""


def retry_refusal(run: Run) -> NotRetryable | None:
    """Return why dbt Cloud cannot retry a run, or None if nothing speaks against it."""
    if not run.finished:
        return NotRetryable(run.id, "RETRY_NOT_FAILED_RUN", f"it is {status_name(run.status).lower()}")
    if run.status != RunStatus.ERROR:
        return NotRetryable(run.id, "RETRY_NOT_FAILED_RUN", f"it ended with {status_name(run.status)}")
    if run.data.get("can_retry") is not False:
        return None
    code = str(run.data.get("retry_not_supported_reason") or "")
    return NotRetryable(run.id, code, _REASONS.get(code, f"dbt Cloud says {code or 'so'}"))


def retry_failed_run(account_id: Id, run_id: Id, *, since: datetime) -> Call[Run]:
    """Start a run exactly once that continues a failed run from its point of failure.

    The last response of the call is always one that describes the new run.

    Args:
        account_id: The account.
        run_id: The run that failed.
        since: A time before the start, by dbt Cloud's clock. The search for the run goes back to it.

    Raises:
        NotRetryable: If dbt Cloud cannot retry it.
        AmbiguousStart: If it is not clear whether a run was started.
        DbtCloudError: If a request fails.
    """
    run = yield from endpoints.get_run(account_id, run_id)
    if (refusal := retry_refusal(run)) is not None:
        raise refusal
    assert run.job_id is not None
    try:
        return (yield from start_retry_run(account_id, run.job_id, run.id, since=since))
    except (BadRequest, Conflict, Unprocessable) as error:
        reason = str((error.data.get("reason") if isinstance(error.data, Mapping) else None) or "")
        raise NotRetryable(run.id, reason, _REASONS.get(reason, str(error))) from error


def last_of_chain(run: Run, runs: Iterable[Run]) -> Run:
    """Return the newest run in the chain of retries that begins with `run`.

    Args:
        run: The first run.
        runs: Runs of the same job that may belong to the chain.
    """
    retries = {retry.retried_run_id: retry for retry in sorted(runs, key=lambda each: each.id)}
    while run.id in retries:
        run = retries.pop(run.id)
    return run
