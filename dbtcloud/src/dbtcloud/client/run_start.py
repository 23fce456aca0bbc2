"""Starting a run exactly once, over a wire that loses answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from dbtcloud.client import endpoints
from dbtcloud.client.endpoints import Id
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
from dbtcloud.client.protocol import Call, Sleep

LOOKS = (1.0, 9.0, 20.0)
"""Seconds before each look for a run that may have begun: three of them, over thirty seconds. A run that
none of them shows did not begin."""

BLIND_LOOKS = 30
"""How many looks may fail, each after attempts of its own, before the start is given up as unclear."""

REFUSALS, COOL_DOWN, LONGEST_COOL_DOWN = 10, 60.0, 300.0
"""How often a 429 is sat out, the seconds for one that names none, and the most for one that does; dbt Cloud
cools down for five minutes ("API rate limits")."""

UNCLEAR = (ServerError, RequestTimeout, MalformedResponse, TransportError)
REFUSED = (BadRequest, Conflict, Unprocessable)

POSTS = 3
"""How often a start is asked for in all, each time only after it is sure that the last one did nothing."""


def start_run(account_id: Id, job_id: Id, payload: Json, *, since: datetime) -> Call[Run]:
    """Start a run of a job, once; the last answer is the one that describes it.

    Args:
        account_id: The account.
        job_id: The job.
        payload: The body of "Trigger Job Run"; its cause must carry a mark (`marker.stamp`).
        since: Before the request is made, by dbt Cloud's clock; the search for the run goes back to it.

    Raises:
        AmbiguousStart: If it stays unclear whether a run began.
        DbtCloudError: If dbt Cloud refuses.
    """
    mark = Marker.find(payload["cause"])
    if mark is None:
        raise ValueError("The cause carries no mark; stamp it first.")

    def ours(run: Run) -> bool:
        return Marker.find(run.cause) == mark

    search = Search(account_id, job_id, since, ours, f"[af:{mark}]")
    return (yield from _once(lambda: endpoints.trigger_run(account_id, job_id, payload), search))


def start_retry(account_id: Id, job_id: Id, run_id: Id, *, since: datetime) -> Call[Run]:
    """Start a run that goes on where `run_id` failed, once; such a run names the one it retries.

    Raises:
        AmbiguousStart: If it stays unclear whether a run began.
        DbtCloudError: If dbt Cloud refuses.
    """

    def ours(run: Run) -> bool:
        return str(run.retries) == str(run_id)

    search = Search(account_id, job_id, since, ours, f"(it retries run {run_id})")
    return (yield from _once(lambda: endpoints.retry_run(account_id, run_id), search))


@dataclass(frozen=True, slots=True)
class Search:
    """How a run that may have begun is found.

    Attributes:
        since: How far back the job's runs are read.
        ours: Whether a run is the one.
        marker: By what people can find it.
    """

    account_id: Id
    job_id: Id
    since: datetime
    ours: Callable[[Run], bool]
    marker: str


def find_runs(account_id: Id, job_id: Id, since: datetime, wanted: Callable[[Run], bool]) -> Call[list[Run]]:
    """Runs of a job that were created since a moment and are wanted, newest first."""
    found: list[Run] = []
    offset = 0
    while True:
        page = yield from endpoints.list_runs_page(
            account_id,
            job_definition_id=job_id,
            order_by="-id",
            include_related=["trigger"],
            limit=endpoints.PAGE_SIZE,
            offset=offset,
        )
        recent = [run for run in page if run.created_at is None or run.created_at >= since]
        found += [run for run in recent if wanted(run)]
        if len(recent) < endpoints.PAGE_SIZE:
            return found
        offset += len(page)


def _once(post: Callable[[], Call[Run]], search: Search) -> Call[Run]:
    """Post, and where the answer leaves it open whether a run began, look for it before posting again."""
    for posts in count(1):
        try:
            return (yield from _when_let(post))
        except (*UNCLEAR, *REFUSED) as error:
            if not _leaves_open(error, posts):
                raise
            began = yield from _began(search, error)
            if began is not None:
                return (
                    yield from endpoints.get_run(search.account_id, began.id, include_related=["trigger"])
                )
            if posts == POSTS or isinstance(error, REFUSED):
                raise
    raise AssertionError("unreachable")


def _leaves_open(error: DbtCloudError, posts: int) -> bool:
    """Whether a run may have begun; what stands in the way of a second post may be what the first began."""
    if isinstance(error, REFUSED):
        return posts > 1
    return not isinstance(error, TransportError) or error.sent


def _when_let(post: Callable[[], Call[Run]]) -> Call[Run]:
    """Post, and sit out a cool-down: what was answered by 429 was not done."""
    for refusals in count(1):
        try:
            return (yield from post())
        except RateLimited as error:
            if refusals == REFUSALS:
                raise
            yield Sleep(min(error.retry_after or COOL_DOWN, LONGEST_COOL_DOWN))
    raise AssertionError("unreachable")


def _began(search: Search, error: DbtCloudError) -> Call[Run | None]:
    """The run that began after all, or None when it is sure that none did.

    A look that fails shows nothing and does not count.
    """
    seen, blind = 0, 0
    while seen < len(LOOKS):
        yield Sleep(LOOKS[seen])
        try:
            runs = yield from find_runs(search.account_id, search.job_id, search.since, search.ours)
        except DbtCloudError as failure:
            blind += 1
            if not failure.retryable or blind > BLIND_LOOKS:
                why = f"{error} Nor can the job's runs be listed: {failure}"
                raise AmbiguousStart(search.marker, why=why) from failure
            continue
        if runs:
            return runs[-1]
        seen += 1
    return None
