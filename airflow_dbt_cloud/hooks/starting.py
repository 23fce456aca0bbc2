"""What is sent to start a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.job_run import DBT_CAUSE_MAX_LENGTH

if TYPE_CHECKING:
    from airflow.sdk.types import Logger


def payload(own: Mapping[str, Any], additional: Mapping[str, Any] | None, log: Logger) -> dict[str, Any]:
    """The body of "Trigger Job Run": arguments that were given, under what `additional` says of them.

    A cause beyond `DBT_CAUSE_MAX_LENGTH` characters, from wherever it comes, is cut with a warning.
    """
    body = {**{name: value for name, value in own.items() if value is not None}, **(additional or {})}
    cause = str(body["cause"])
    if len(cause) > DBT_CAUSE_MAX_LENGTH:
        log.warning(
            "The cause has %d characters; dbt Cloud takes %d, so the rest is cut.",
            len(cause),
            DBT_CAUSE_MAX_LENGTH,
        )
    return {**body, "cause": cause[:DBT_CAUSE_MAX_LENGTH]}
