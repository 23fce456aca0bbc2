"""Whether a failed request is sent again, and when: a pure decision, and the loop that obeys it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import TypeAlias

from dbtcloud.client.error_response import problem
from dbtcloud.client.errors import DbtCloudError, RateLimited, TransportError
from dbtcloud.client.protocol import Call, Request, Response, Sleep, T, ask

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one request is insisted on.

    Attributes:
        attempts: How many times a repeatable request is sent at the most.
        delay: Seconds before the second attempt; doubled for each further one.
        longest: Seconds that no single pause exceeds. A `Retry-After` beyond it ends the attempts, so that
            who waits for a run can decide rather than sit blocked.
    """

    attempts: int = 4
    delay: float = 1.0
    longest: float = 30.0


Decision: TypeAlias = Callable[[Request, DbtCloudError, int], float | None]
"""From a request, its error and the number of attempts made: seconds to pause, or None to give up."""


def decide(request: Request, error: DbtCloudError, attempt: int, patience: Patience) -> float | None:
    """Seconds to pause before sending the request again, or None to give up."""
    if attempt >= patience.attempts or not error.retryable or not may_repeat(request, error):
        return None
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return error.retry_after if error.retry_after <= patience.longest else None
    return min(patience.delay * 2.0 ** (attempt - 1), patience.longest)


@cache
def patiently(patience: Patience) -> Decision:
    """The decision that `patience` stands for."""
    return lambda request, error, attempt: decide(request, error, attempt, patience)


TOLERANT = patiently(Patience())
"""The decision where nobody asked for another."""

BRIEFLY = patiently(Patience(attempts=2))
"""The decision for what is good to have and not worth a wait."""

ONCE = patiently(Patience(attempts=1))
"""The decision where somebody sits and waits for the first answer."""


def may_repeat(request: Request, error: DbtCloudError) -> bool:
    """Whether sending the request again cannot do a thing twice.

    What changes something may be repeated only where it surely did nothing: no byte of it left this machine,
    or dbt Cloud refused it with 429.
    """
    unsent = isinstance(error, TransportError) and not error.sent
    return request.repeatable or unsent or isinstance(error, RateLimited)


def insist(call: Call[T], decision: Decision, seen: Callable[[Response], object] = bool) -> Call[T]:
    """Run `call`, sending each of its requests again for as long as `decision` says so.

    Args:
        call: The conversation.
        decision: When a request is sent again.
        seen: Told of each answer that the call is given.
    """
    try:
        step = next(call)
        while True:
            answer, error = yield from _attempts(step, decision)
            if answer is not None:
                seen(answer)
            step = call.send(answer) if error is None else call.throw(error)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _attempts(
    step: Request | Sleep, decision: Decision
) -> Call[tuple[Response | None, DbtCloudError | None]]:
    """Take one step of a call: its answer, or the error that remains."""
    if isinstance(step, Sleep):
        yield step
        return None, None
    for attempt in count(1):
        try:
            return (yield from _usable(step)), None
        except DbtCloudError as error:
            pause = decision(step, error, attempt)
            if pause is None:
                return None, error
            log.warning("%s Attempt %d; the next one follows in %.3g s.", error, attempt, pause)
            yield Sleep(pause)
    raise AssertionError("unreachable")


def _usable(request: Request) -> Call[Response]:
    response = yield from ask(request)
    if (error := problem(request, response)) is not None:
        raise error
    return response
