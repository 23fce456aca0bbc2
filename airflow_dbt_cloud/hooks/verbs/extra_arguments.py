"""What tasks hand to the hook's own verbs beside the arguments of the official provider.

Tasks call each verb with the official arguments alone, since a user may have replaced it. Whatever else our
own verbs need lies in the context of the call. A replaced verb does not see it, and a subclass that calls
`super()` hands it on without knowing of it.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from requests import Response

if TYPE_CHECKING:
    from dbtcloud.client.marker import Marker

SendStart: TypeAlias = Callable[["Marker | None", Mapping[str, Any]], Response]
"""Sends the request that starts a run, with a marker and with fields that replace those of the call."""

ObtainRun: TypeAlias = Callable[[SendStart], Response]
"""Returns the response that describes the run to follow: one that there is already, or a new one."""

_OBTAIN_RUN: ContextVar[ObtainRun | None] = ContextVar("obtain_run", default=None)
_TIME_LEFT: ContextVar[Callable[[], float] | None] = ContextVar("time_left_to_start", default=None)
_BRIEF_CANCELS: ContextVar[bool] = ContextVar("brief_cancels", default=False)


@contextmanager
def runs_obtained_by(obtain: ObtainRun) -> Iterator[None]:
    """Let a task decide within our own `trigger_job_run` whether it starts a run or follows another."""
    token = _OBTAIN_RUN.set(obtain)
    try:
        yield
    finally:
        _OBTAIN_RUN.reset(token)


def current_obtain_run() -> ObtainRun | None:
    """Return what the calling task decides by, or None where no task of ours is calling."""
    return _OBTAIN_RUN.get()


@contextmanager
def starts_within(time_left: Callable[[], float]) -> Iterator[None]:
    """Bound the starts in a block by the seconds that `time_left` returns."""
    token = _TIME_LEFT.set(time_left)
    try:
        yield
    finally:
        _TIME_LEFT.reset(token)


def time_left_to_start() -> float:
    """Return the seconds that the search for a run whose start is unclear may still take."""
    time_left = _TIME_LEFT.get()
    return math.inf if time_left is None else time_left()


@contextmanager
def brief_cancels() -> Iterator[None]:
    """Make our own `cancel_job_run` give up early: a task that is being killed has seconds."""
    token = _BRIEF_CANCELS.set(True)
    try:
        yield
    finally:
        _BRIEF_CANCELS.reset(token)


def cancels_are_brief() -> bool:
    """Return whether the caller has seconds only."""
    return _BRIEF_CANCELS.get()


def response_with(run: Mapping[str, Any]) -> Response:
    """Return a response that describes a run as those of dbt Cloud do."""
    response = Response()
    response.status_code, response.raw = HTTPStatus.OK, io.BytesIO(json.dumps({"data": run}).encode())
    return response
