"""Decide whether a failed request is sent again, and when."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TypeAlias

from dbtcloud.client.error_response import error_from_response
from dbtcloud.client.errors import DbtCloudError, RateLimited
from dbtcloud.client.protocol import Call, Request, Response, Sleep, T, ask

log = logging.getLogger(__name__)

RetryDecision: TypeAlias = Callable[[Request, DbtCloudError, int], float | None]
"""Takes a request, its error and the number of attempts so far. Returns the seconds to wait before the next
attempt, or None to give up."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A retry decision with exponential backoff.

    Attributes:
        attempts: Largest number of times that a repeatable request is sent.
        delay: Seconds before the second attempt. The delay doubles with each further attempt.
        max_delay: Largest number of seconds between two attempts. A longer `Retry-After` ends the attempts,
            so that the caller decides what to do instead of being blocked.
    """

    attempts: int = 4
    delay: float = 1.0
    max_delay: float = 30.0

    def __call__(self, request: Request, error: DbtCloudError, attempt: int) -> float | None:
        """Return the seconds to wait before the request is sent again, or None to give up."""
        if attempt >= self.attempts or not error.retryable or not request.may_repeat_after(error):
            return None
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.max_delay else None
        return min(self.delay * 2.0 ** (attempt - 1), self.max_delay)


DEFAULT_RETRY = RetryPolicy()
"""Four attempts, with delays of 1, 2 and 4 seconds."""

RETRY_ONCE = RetryPolicy(attempts=2)
"""Two attempts, for answers that are useful but not worth a long wait."""

NO_RETRY = RetryPolicy(attempts=1)
"""One attempt, for callers that retry by themselves or need the first answer."""


def retry_requests(
    call: Call[T], retry: RetryDecision, on_response: Callable[[Response], object] = bool
) -> Call[T]:
    """Return the same call with each of its requests retried.

    Args:
        call: The call.
        retry: Decides whether a failed request is sent again.
        on_response: Called with each response that `call` receives. Failed attempts are left out.
    """
    try:
        step = next(call)
        while True:
            response, error = yield from _take_step(step, retry)
            if response is not None:
                on_response(response)
            step = call.send(response) if error is None else call.throw(error)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _take_step(
    step: Request | Sleep, retry: RetryDecision
) -> Call[tuple[Response | None, DbtCloudError | None]]:
    """Take one step of a call and return its response, or the error after the last attempt."""
    if isinstance(step, Sleep):
        yield step
        return None, None
    for attempt in count(1):
        failure: DbtCloudError | None
        try:
            response = yield from ask(step)
            failure = error_from_response(step, response)
        except DbtCloudError as error:
            failure = error
        if failure is None:
            return response, None
        delay = retry(step, failure, attempt)
        if delay is None:
            return None, failure
        log.warning("%s Attempt %d failed; the next one follows in %.3g s.", failure, attempt, delay)
        yield Sleep(delay)
    raise AssertionError("unreachable")
