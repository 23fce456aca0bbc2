"""The body of the request that starts a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dbtcloud.client.marker import CAUSE_MAX_LENGTH, Marker

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

SKEW = timedelta(minutes=10)
"""How far the clocks of this machine and of dbt Cloud may differ."""


def payload(
    own: Mapping[str, Any], additional: Mapping[str, Any] | None, marker: Marker | None, log: Logger
) -> dict[str, Any]:
    """Return the body of "Trigger Job Run": the arguments that are given, overridden by `additional`.

    The cause, from wherever it comes, holds a marker afterwards, and is cut so that both fit.

    Args:
        own: The verb's arguments.
        additional: Further fields.
        marker: The marker. If None, the one that the cause holds already, or a random one.
        log: The task's log.
    """
    body = {**{name: value for name, value in own.items() if value is not None}, **(additional or {})}
    cause = str(body["cause"])
    if len(cause) > CAUSE_MAX_LENGTH:
        log.warning("The cause has %d characters and is cut to %d.", len(cause), CAUSE_MAX_LENGTH)
    return {**body, "cause": (marker or Marker.find(cause) or Marker.random()).add_to(cause)}


def horizon() -> datetime:
    """Return a moment that is in the past by dbt Cloud's clock too."""
    return datetime.now(UTC) - SKEW
