"""Start a run exactly once, even if answers get lost.

A lost answer leaves open whether dbt Cloud started the run, and the run may be listed only some time later.
Before the request is sent again, the job's runs are searched for three minutes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from dbtcloud.client import endpoints
from dbtcloud.client.errors import (
    AmbiguousStart,
    ApiError,
    BadRequest,
    Conflict,
    DbtCloudError,
    MalformedResponse,
    RateLimited,
    RequestTimeout,
    ServerError,
    TransportError,
    Unauthorized,
    Unprocessable,
)
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Json, Run
from dbtcloud.client.protocol import Call, Id, Sleep
from dbtcloud.client.run_search import FoundRuns, RunSearch

_SEARCH_TIMES = (1.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 150.0, 180.0)
"""Seconds after the request at which a run that may have started is searched for. If all find nothing, it did
not start. A run that takes effect after 60 s, in a list that lags behind by 90 s, is found."""

SEARCH_DELAYS = tuple(later - earlier for earlier, later in pairwise((0.0, *_SEARCH_TIMES)))
"""Seconds before each of these searches."""

_MAX_POSTS = 3
_FAILURE_DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, *[30.0] * 9)  # before a failed search is repeated

# dbt Cloud refuses requests for five minutes after too many (its page "API rate limits").
_MAX_RATE_LIMITS, _COOL_DOWN, _MAX_COOL_DOWN = 10, 60.0, 300.0

_UNCLEAR = (ServerError, RequestTimeout, MalformedResponse, TransportError, RateLimited)
_REFUSED = (BadRequest, Conflict, Unprocessable)


def start_run(
    account_id: Id, job_id: Id, payload: Json, *, time_left: Callable[[], float] = lambda: math.inf
) -> Call[Run]:
    """Start a run of a job exactly once.

    The last response of the call is always one that describes the run.

    Args:
        account_id: The account.
        job_id: The job.
        payload: The body of "Trigger Job Run". Its cause must have a marker (see `Marker.add_to`).
        time_left: Returns the seconds that a search for the run may still take.

    Raises:
        AmbiguousStart: If it is not clear whether a run was started.
        DbtCloudError: If dbt Cloud refuses to start the run.
        ValueError: If the cause has no marker.
    """
    cause = payload["cause"]
    marker = Marker.find(cause)
    if marker is None:
        raise ValueError("The cause has no marker. Add one with Marker.add_to().")

    def is_started_run(run: Run) -> bool | None:
        if Marker.find(run.cause) == marker:
            return True
        return None if marker.may_be_missing_from(run.cause, cause) else False

    runs = RunSearch(account_id, job_id, is_started_run, age=timedelta(0))
    start = _Start(account_id, lambda: endpoints.trigger_run(account_id, job_id, payload), runs, time_left)
    return (yield from start.start_once(marker=str(marker)))


def start_retry_run(
    account_id: Id, job_id: Id, run_id: Id, *, time_left: Callable[[], float] = lambda: math.inf
) -> Call[Run]:
    """Start a run exactly once that continues another from its point of failure.

    dbt Cloud takes no cause here, so the run is recognised by the run that it retries.

    Args:
        account_id: The account.
        job_id: The job of the run.
        run_id: The run that failed.
        time_left: Returns the seconds that a search for the run may still take.

    Raises:
        AmbiguousStart: If it is not clear whether a run was started.
        DbtCloudError: If dbt Cloud refuses to start the run.
    """

    def is_started_run(run: Run) -> bool | None:
        shown = "retrying_run_id" in run.data
        return str(run.retried_run_id) == str(run_id) if shown else None

    runs = RunSearch(account_id, job_id, is_started_run, after=run_id)
    start = _Start(account_id, lambda: endpoints.retry_run(account_id, run_id), runs, time_left)
    return (yield from start.start_once(retried_run_id=run_id))


def retry_failed_run(
    account_id: Id, run_id: Id, *, time_left: Callable[[], float] = lambda: math.inf
) -> Call[Run]:
    """Start a run exactly once that continues a failed run from its point of failure.

    The last response of the call is always one that describes the new run.

    Args:
        account_id: The account.
        run_id: The run that failed.
        time_left: Returns the seconds that a search for the run may still take.

    Raises:
        NotRetryable: If dbt Cloud cannot retry it.
        AmbiguousStart: If it is not clear whether a run was started.
        DbtCloudError: If a request fails.
    """
    run = yield from endpoints.get_run(account_id, run_id)
    if (refusal := run.retry_refusal()) is not None:
        raise refusal
    job_id = run.known_job_id
    try:
        return (yield from start_retry_run(account_id, job_id, run.id, time_left=time_left))
    except _REFUSED as error:
        reason = str((error.data.get("reason") if isinstance(error.data, Mapping) else None) or "")
        raise run.retry_error(reason, str(error)) from error


def rerun_once(account_id: Id, job_id: Id) -> Call[Run]:
    """Rerun a job (`endpoints.rerun_job`). Nothing shows which run is started, so it is not searched for.

    Raises:
        AmbiguousStart: If it is not clear whether a run was started.
        DbtCloudError: If dbt Cloud refuses, or cannot be reached.
    """
    try:
        return (yield from endpoints.rerun_job(account_id, job_id))
    except _UNCLEAR as error:
        if isinstance(error, TransportError) and not error.sent:
            raise
        raise AmbiguousStart("", why=str(error)) from error


@dataclass(frozen=True, slots=True)
class _Start:
    """The start of a run, and the search for it.

    Attributes:
        account_id: The account.
        post: Makes the call that sends the request.
        runs: The search for the run that may have started.
        time_left: Returns the seconds that the search may still take.
    """

    account_id: Id
    post: Callable[[], Call[Run]]
    runs: RunSearch
    time_left: Callable[[], float]

    def start_once(self, *, marker: str = "", retried_run_id: Id | None = None) -> Call[Run]:
        """Send the request. If the answer is unclear, search for the run before sending it again.

        Args:
            marker: The marker in the run's cause, or "" for a retry.
            retried_run_id: The run that the run retries, or None.
        """
        posts = rate_limits = 0
        while True:
            try:
                return (yield from self.post())
            except DbtCloudError as error:
                rate_limits += isinstance(error, RateLimited)
                posts += not isinstance(error, RateLimited)
                is_last = posts == _MAX_POSTS or rate_limits == _MAX_RATE_LIMITS
                try:
                    run = yield from self._find_started_run(error, is_first=posts + rate_limits == 1)
                    if run is not None:
                        return (yield from self._read(run))
                except _UnclearSearch as unclear:
                    why = f"{error} {unclear}"
                    raise AmbiguousStart(marker, retried_run_id=retried_run_id, why=why) from unclear
                if is_last or not isinstance(error, (*_UNCLEAR, Unauthorized)):
                    raise

    def _find_started_run(self, error: DbtCloudError, *, is_first: bool) -> Call[Run | None]:
        """Return the run that was started although the request failed, or None if certainly none was.

        Raises:
            DbtCloudError: If the request was refused.
        """
        unsent = isinstance(error, TransportError) and not error.sent
        if unsent or not isinstance(error, (ApiError, *_UNCLEAR)):
            raise error  # nothing was sent
        is_refused = isinstance(error, ApiError) and not isinstance(error, _UNCLEAR)
        # The run that the first request started can be the reason why dbt Cloud refuses the second.
        if is_refused and (is_first or not isinstance(error, _REFUSED)):
            run = yield from self._search_after_refusal(error)
            if run is not None or not isinstance(error, Unauthorized):
                return run
            # The token was refused, and yet the list could be read: the token has been replaced meanwhile.
        return (yield from self._search_until_clear(error))

    def _read(self, run: Run) -> Call[Run]:
        try:
            return (yield from endpoints.get_run(self.account_id, run.id, include_related=["trigger"]))
        except DbtCloudError as failure:
            raise _UnclearSearch(f"Run {run.id} seems to be it, but cannot be read: {failure}") from failure

    def _search_after_refusal(self, error: DbtCloudError) -> Call[Run | None]:
        """Search once, in case dbt Cloud has acted and the refusal comes from something in between."""
        try:
            found = yield from self.runs.find()
        except DbtCloudError:
            raise error from None
        return _oldest(found)

    def _search_until_clear(self, error: DbtCloudError) -> Call[Run | None]:
        """Search for the run at each of `_SEARCH_TIMES`.

        Raises:
            _UnclearSearch: If the search does not show whether a run was started.
        """
        found, failure_delays = FoundRuns(), iter(_FAILURE_DELAYS)
        for delay in _search_delays(error):
            found = yield from self._search_after(delay, failure_delays)
            if found:
                return _oldest(found)
        if found.doubts:
            raise _UnclearSearch(f"The job's runs do not show it: {'; '.join(found.doubts)}.")
        return None

    def _search_after(self, delay: float, failure_delays: Iterator[float]) -> Call[FoundRuns]:
        """Search after a pause. A failed search shows nothing, so it is repeated."""
        while True:
            left = self.time_left()
            yield Sleep(max(0.0, min(delay, left)))
            try:
                found = yield from self.runs.find()
            except DbtCloudError as failure:
                next_delay = next(failure_delays, None)
                if next_delay is None or not failure.retryable or delay >= left:
                    raise _UnclearSearch(f"The search for the run failed as well: {failure}") from failure
                delay = next_delay
            else:
                if not found and delay > left:
                    raise _UnclearSearch("The timeout ended the search for the run.")
                return found


class _UnclearSearch(Exception):
    """A search has not shown whether a run was started. The message says why."""


def _search_delays(error: DbtCloudError) -> tuple[float, ...]:
    """Return the seconds before each search, which begin after a 429 when dbt Cloud answers again."""
    if not isinstance(error, RateLimited):
        return SEARCH_DELAYS
    asked = _COOL_DOWN if error.retry_after is None else error.retry_after
    first = min(asked, _MAX_COOL_DOWN)
    times = (first, *(time for time in _SEARCH_TIMES if time > first))
    return tuple(later - earlier for earlier, later in pairwise((0.0, *times)))


def _oldest(found: FoundRuns) -> Run | None:
    """Return the oldest of the runs: it is the one that the start began."""
    return found[-1] if found else None
