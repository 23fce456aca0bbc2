"""Taking a failed run up where it failed: whether dbt Cloud can do that, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from dbtcloud.client import endpoints
from dbtcloud.client.endpoints import Id
from dbtcloud.client.errors import BadRequest, Conflict, NotRetryable, Unprocessable
from dbtcloud.client.models import Run, RunStatus, status_name
from dbtcloud.client.protocol import Call
from dbtcloud.client.run_start import start_retry

REASONS: Mapping[str, str] = {
    "RETRY_UNSUPPORTED_CMD": "the command that failed is none that dbt can retry",
    "RETRY_UNSUPPORTED_VERSION": "its dbt version cannot retry; dbt 1.6 and later can",
    "RETRY_NOT_LATEST_RUN": "its job has been started again since, and only the latest run can be retried",
    "RETRY_NOT_FAILED_RUN": "it did not end in error",
    "RETRY_NO_RUN_RESULTS": "it left no run_results.json to go on from, as when the project does not compile",
}
"""What dbt Cloud means by a run's `retry_not_supported_reason` (API v2, "Retrieve Run")."""


def refusal(run: Run) -> NotRetryable | None:
    """Why dbt Cloud cannot retry a run; None where it can, or does not say that it cannot."""
    if not run.finished:
        return NotRetryable(run.id, "RETRY_NOT_FAILED_RUN", f"it is {status_name(run.status).lower()}")
    if run.status != RunStatus.ERROR:
        return NotRetryable(run.id, "RETRY_NOT_FAILED_RUN", f"it ended with {status_name(run.status)}")
    if run.data.get("can_retry") is not False:
        return None
    code = str(run.data.get("retry_not_supported_reason") or "")
    return NotRetryable(run.id, code, REASONS.get(code, f"dbt Cloud says {code or 'so'}"))


def retry_run(account_id: Id, run_id: Id, *, since: datetime) -> Call[Run]:
    """Start a run that goes on where this one failed, once; the last answer is the one that describes it.

    Args:
        account_id: The account.
        run_id: The run that failed.
        since: Before the request is made, by dbt Cloud's clock; the search for the run goes back to it.

    Raises:
        NotRetryable: If dbt Cloud cannot retry it.
        AmbiguousStart: If it stays unclear whether a run began.
        DbtCloudError: If dbt Cloud cannot be asked.
    """
    run = yield from endpoints.get_run(account_id, run_id)
    if (refused := refusal(run)) is not None:
        raise refused
    assert run.job_id is not None
    try:
        return (yield from start_retry(account_id, run.job_id, run.id, since=since))
    except (BadRequest, Conflict, Unprocessable) as error:
        said = error.data.get("reason") if isinstance(error.data, Mapping) else None
        raise NotRetryable(run.id, str(said or ""), REASONS.get(str(said), str(error))) from error


def last_of_chain(run: Run, runs: Iterable[Run]) -> Run:
    """The run in which a chain of retries that begins with `run` has come to its end so far."""
    retries = {each.retries: each for each in sorted(runs, key=lambda each: each.id)}
    while run.id in retries:
        run = retries.pop(run.id)
    return run
