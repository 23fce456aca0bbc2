"""A retry policy for Airflow 3.3.

It fails a task at once where a retry cannot help, and waits as long as dbt Cloud asks:

    DbtCloudRunJobOperator(..., retries=3, retry_policy=DBT_CLOUD_RETRY_POLICY)

Importing this module on an older Airflow raises ImportError: its operators take no `retry_policy`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryPolicy
from airflow.sdk.definitions.retry_policy import RetryDecision

from dbtcloud.client.errors import (
    BadRequest,
    DbtCloudError,
    Forbidden,
    InvalidArgument,
    LookupFailed,
    NotFound,
    RateLimited,
    Unauthorized,
    Unprocessable,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

# These stay until somebody changes the DAG, the connection or dbt Cloud.
_PERMANENT = (BadRequest, Forbidden, InvalidArgument, LookupFailed, NotFound, Unauthorized, Unprocessable)


class DbtCloudRetryPolicy(RetryPolicy):
    """Decides by the client's error that a task's exception carries, and leaves anything else to Airflow."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 -- Airflow's signature
        max_tries: int,  # noqa: ARG002
        context: Context | None = None,  # noqa: ARG002
    ) -> RetryDecision:
        """Fail the task where a retry cannot help, and wait for `Retry-After` after a 429."""
        error = _client_error(exception)
        if isinstance(error, _PERMANENT):
            return RetryDecision.fail(reason=str(error))
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return RetryDecision.retry(delay=timedelta(seconds=error.retry_after), reason=str(error))
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Return what Airflow's scheduler stores: it only needs to know that there is a policy."""
        return {"__type": type(self).__name__}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> DbtCloudRetryPolicy:  # noqa: ARG003 -- there is one kind
        """Return the policy that `serialize` described."""
        return cls()


def _client_error(exception: BaseException | None) -> DbtCloudError | None:
    """Return the client's error that an exception, or one that it was raised from, carries or is."""
    while exception is not None:
        error = getattr(exception, "error", exception)
        if isinstance(error, DbtCloudError):
            return error
        exception = exception.__cause__
    return None


DBT_CLOUD_RETRY_POLICY = DbtCloudRetryPolicy()
