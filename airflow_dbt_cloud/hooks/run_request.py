"""What is sent to start a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dbtcloud.client.marker import CAUSE_MAX_LENGTH, Marker, add_marker

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

SKEW = timedelta(minutes=10)
"""How far the clocks of this machine and of dbt Cloud may be apart."""


def payload(
    own: Mapping[str, Any], additional: Mapping[str, Any] | None, mark: Marker | None, log: Logger
) -> dict[str, Any]:
    """The body of "Trigger Job Run": arguments that were given, under what `additional` says of them.

    The cause, from wherever it comes, is given a mark, and cut so that both fit.
    """
    body = {**{name: value for name, value in own.items() if value is not None}, **(additional or {})}
    cause = str(body["cause"])
    if len(cause) > CAUSE_MAX_LENGTH:
        log.warning("The cause has %d characters and is cut to %d.", len(cause), CAUSE_MAX_LENGTH)
    return {**body, "cause": add_marker(cause, mark or Marker.find(cause) or Marker.random())}


def horizon() -> datetime:
    """A moment that is before now by dbt Cloud's clock too."""
    return datetime.now(UTC) - SKEW
