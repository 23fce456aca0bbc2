"""Start a run exactly once, even if answers get lost.

A lost answer leaves open whether dbt Cloud started the run. Before the request is sent again, the job's runs
are searched for the one that may have started.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from dbtcloud.client import endpoints
from dbtcloud.client.errors import (
    AmbiguousStart,
    BadRequest,
    Conflict,
    DbtCloudError,
    MalformedResponse,
    RateLimited,
    RequestTimeout,
    ServerError,
    TransportError,
    Unprocessable,
)
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Json, Run
from dbtcloud.client.paging import PAGE_SIZE
from dbtcloud.client.protocol import Call, Id, Sleep

SEARCH_DELAYS = (1.0, 9.0, 20.0)
"""Seconds before each search for a run that may have started. If all find nothing, it did not start."""

_MAX_POSTS = 3
_MAX_FAILED_SEARCHES = 30  # each after the retries of its requests

# dbt Cloud refuses requests for five minutes after too many (its page "API rate limits").
_MAX_RATE_LIMITS, _COOL_DOWN, _MAX_COOL_DOWN = 10, 60.0, 300.0

_UNCLEAR = (ServerError, RequestTimeout, MalformedResponse, TransportError)
_REFUSED = (BadRequest, Conflict, Unprocessable)


def start_run(account_id: Id, job_id: Id, payload: Json, *, since: datetime) -> Call[Run]:
    """Start a run of a job exactly once.

    The last response of the call is always one that describes the run.

    Args:
        account_id: The account.
        job_id: The job.
        payload: The body of "Trigger Job Run". Its cause must have a marker (see `Marker.add_to`).
        since: A time before the start, by dbt Cloud's clock. The search for the run goes back to it.

    Raises:
        AmbiguousStart: If it is not clear whether a run was started.
        DbtCloudError: If dbt Cloud refuses to start the run.
        ValueError: If the cause has no marker.
    """
    marker = Marker.find(payload["cause"])
    if marker is None:
        raise ValueError("The cause has no marker. Add one with Marker.add_to().")

    def is_started_run(run: Run) -> bool:
        return Marker.find(run.cause) == marker

    search = _RunSearch(account_id, job_id, since, is_started_run, marker=str(marker))
    return (yield from _start_once(lambda: endpoints.trigger_run(account_id, job_id, payload), search))


def start_retry_run(account_id: Id, job_id: Id, run_id: Id, *, since: datetime) -> Call[Run]:
    """Start a run exactly once that continues another from its point of failure.

    dbt Cloud takes no cause here, so the run is recognised by the run that it retries.

    Args:
        account_id: The account.
        job_id: The job of the run.
        run_id: The run that failed.
        since: A time before the start, by dbt Cloud's clock. The search for the run goes back to it.

    Raises:
        AmbiguousStart: If it is not clear whether a run was started.
        DbtCloudError: If dbt Cloud refuses to start the run.
    """

    def is_started_run(run: Run) -> bool:
        return str(run.retried_run_id) == str(run_id)

    search = _RunSearch(account_id, job_id, since, is_started_run, retried_run_id=run_id)
    return (yield from _start_once(lambda: endpoints.retry_run(account_id, run_id), search))


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
    if (refusal := run.retry_refusal()) is not None:
        raise refusal
    assert run.job_id is not None
    try:
        return (yield from start_retry_run(account_id, run.job_id, run.id, since=since))
    except _REFUSED as error:
        reason = str((error.data.get("reason") if isinstance(error.data, Mapping) else None) or "")
        raise run.retry_error(reason, str(error)) from error


def find_runs(
    account_id: Id, job_id: Id, since: datetime, is_wanted: Callable[[Run], bool]
) -> Call[list[Run]]:
    """Return a job's runs that were created since a time and are wanted, the newest first."""
    found: list[Run] = []
    offset = 0
    while True:
        page = yield from endpoints.list_runs_page(
            account_id,
            job_definition_id=job_id,
            order_by="-id",
            include_related=["trigger"],
            limit=PAGE_SIZE,
            offset=offset,
        )
        recent = [run for run in page if run.created_at is None or run.created_at >= since]
        found += [run for run in recent if is_wanted(run)]
        if len(recent) < PAGE_SIZE:
            return found
        offset += len(page)


@dataclass(frozen=True, slots=True)
class _RunSearch:
    """The search for a run that may have started.

    Attributes:
        account_id: The account.
        job_id: The job.
        since: How far back the job's runs are searched.
        is_started_run: Returns whether a run is the one.
        marker: The marker in the run's cause, or "" for a retry.
        retried_run_id: The run that the run retries, or None.
    """

    account_id: Id
    job_id: Id
    since: datetime
    is_started_run: Callable[[Run], bool]
    marker: str = ""
    retried_run_id: Id | None = None


def _start_once(post: Callable[[], Call[Run]], search: _RunSearch) -> Call[Run]:
    """Send the request. If the answer is unclear, search for the run before sending it again."""
    for posts in count(1):
        try:
            return (yield from _post(post))
        except (*_UNCLEAR, *_REFUSED) as error:
            if not _may_have_started(error, posts):
                raise
            run = yield from _find_started_run(search, error)
            if run is not None:
                return (yield from endpoints.get_run(search.account_id, run.id, include_related=["trigger"]))
            if posts == _MAX_POSTS or isinstance(error, _REFUSED):
                raise
    raise AssertionError("unreachable")


def _may_have_started(error: DbtCloudError, posts: int) -> bool:
    if isinstance(error, _REFUSED):
        # The run that the first request started can be the reason why dbt Cloud refuses the second.
        return posts > 1
    return not isinstance(error, TransportError) or error.sent


def _post(post: Callable[[], Call[Run]]) -> Call[Run]:
    """Send the request, and wait after each 429: what is refused by it was not done."""
    for rate_limits in count(1):
        try:
            return (yield from post())
        except RateLimited as error:
            if rate_limits == _MAX_RATE_LIMITS:
                raise
            yield Sleep(min(error.retry_after or _COOL_DOWN, _MAX_COOL_DOWN))
    raise AssertionError("unreachable")


def _find_started_run(search: _RunSearch, error: DbtCloudError) -> Call[Run | None]:
    """Return the run that was started, or None if certainly none was.

    Raises:
        AmbiguousStart: If the job's runs cannot be listed.
    """
    searches, failed_searches = 0, 0
    while searches < len(SEARCH_DELAYS):
        yield Sleep(SEARCH_DELAYS[searches])
        try:
            runs = yield from find_runs(search.account_id, search.job_id, search.since, search.is_started_run)
        except DbtCloudError as failure:
            # A failed search shows nothing, so it is repeated and does not count as one that found no run.
            failed_searches += 1
            if not failure.retryable or failed_searches > _MAX_FAILED_SEARCHES:
                why = f"{error} The search for the run failed as well: {failure}"
                raise AmbiguousStart(
                    search.marker, retried_run_id=search.retried_run_id, why=why
                ) from failure
            continue
        if runs:
            return runs[-1]  # the oldest: it is the one that this start began
        searches += 1
    return None
