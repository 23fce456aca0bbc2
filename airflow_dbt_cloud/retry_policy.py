"""A retry policy for Airflow 3.3: fail at once where a retry cannot help, wait as long as dbt Cloud asks.

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

HOPELESS = (BadRequest, Forbidden, InvalidArgument, LookupFailed, NotFound, Unauthorized, Unprocessable)
"""What stays as it is until somebody changes the DAG, the connection or dbt Cloud."""


class DbtCloudRetryPolicy(RetryPolicy):
    """Decides by the error of dbt Cloud beneath a task's exception; anything else is left to Airflow."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 -- Airflow's signature
        max_tries: int,  # noqa: ARG002
        context: Context | None = None,  # noqa: ARG002
    ) -> RetryDecision:
        """Fail what a retry cannot mend, and wait for `Retry-After` after a 429."""
        error = client_error(exception)
        if isinstance(error, HOPELESS):
            return RetryDecision.fail(reason=str(error))
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return RetryDecision.retry(delay=timedelta(seconds=error.retry_after), reason=str(error))
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Airflow's scheduler only needs to know that there is a policy."""
        return {"__type": type(self).__name__}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> DbtCloudRetryPolicy:  # noqa: ARG003 -- there is one kind
        """The policy that `serialize` stands for."""
        return cls()


def client_error(exception: BaseException | None) -> DbtCloudError | None:
    """The error of dbt Cloud that an exception was raised from, or None."""
    while exception is not None and not isinstance(exception, DbtCloudError):
        exception = exception.__cause__
    return exception


DBT_CLOUD_RETRY_POLICY = DbtCloudRetryPolicy()
