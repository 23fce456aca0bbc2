"""Turns the hook's retry arguments into a decision about single requests."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from dbtcloud.client.errors import DbtCloudError
from dbtcloud.client.polling.rate_limiter import LONGEST_COOL_DOWN
from dbtcloud.client.protocol import Request
from dbtcloud.client.retry import RetryDecision, RetryPolicy

# With pauses of 1, 2, 4 … seconds, ten attempts take eight and a half minutes. dbt Cloud's cool-down is five.
_PERSISTENT_ATTEMPTS = 10


class RequestRetry:
    """The retry arguments of a hook.

    Args:
        limit: Attempts; a request that only reads is tried at least four times.
        delay: Seconds before the second attempt, doubled for each further one.
        tenacity_args: `stop`, `wait` and `retry` of tenacity, which then decide instead. A request that
            may have started something is never repeated, whatever they say.
    """

    def __init__(self, limit: int, delay: float, tenacity_args: Mapping[str, Any] | None) -> None:
        self._limit, self._delay, self._tenacity_args = limit, delay, tenacity_args

    def decision(self) -> RetryDecision:
        """Return the decision when to send a request again.

        Raises:
            ValueError: If `limit` is below 1.
        """
        if self._limit < 1:
            raise ValueError(f"retry_limit is {self._limit}; it counts attempts, so it must be 1 or more.")
        policy = _policy(max(self._limit, RetryPolicy().attempts), self._delay)
        return _by_tenacity(self._tenacity_args) if self._tenacity_args else policy

    def persistent_decision(self) -> RetryDecision:
        """Return the decision for a request that has to get through: it waits out dbt Cloud's cool-down."""
        attempts = max(self._limit, _PERSISTENT_ATTEMPTS)
        policy = RetryPolicy(attempts=attempts, delay=self._delay, max_delay=LONGEST_COOL_DOWN)
        return _by_tenacity(self._tenacity_args) if self._tenacity_args else policy


@lru_cache(maxsize=64)
def _policy(attempts: int, delay: float) -> RetryPolicy:
    """Return one policy for all hooks with the same arguments: a triggerer has thousands of hooks."""
    return RetryPolicy(attempts=attempts, delay=delay)


def _by_tenacity(args: Mapping[str, Any]) -> RetryDecision:
    """Return a decision by tenacity's strategies.

    A `retry` predicate is asked about our error, then about its cause.
    """
    began: dict[int, float] = {}

    def decide(request: Request, error: DbtCloudError, attempt: int) -> float | None:
        if attempt == 1:
            began[id(request)] = time.monotonic()
        states = [_state(e, attempt, began[id(request)]) for e in (error, error.__cause__) if e is not None]
        wanted = any(args["retry"](state) for state in states) if "retry" in args else error.retryable
        if not wanted or not request.may_repeat_after(error) or ("stop" in args and args["stop"](states[0])):
            del began[id(request)]
            return None
        return float(args["wait"](states[0])) if "wait" in args else 0.0

    return decide


def _state(error: BaseException, attempt: int, began: float) -> Any:
    from tenacity import RetryCallState, Retrying

    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number, state.start_time = attempt, began
    state.set_exception((type(error), error, error.__traceback__))
    return state
