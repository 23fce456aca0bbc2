"""The exceptions that Airflow users catch, and the one place where the client's errors become them."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowException

from dbtcloud.client.errors import DbtCloudError, LookupFailed, RunFailed, RunTimedOut


class DbtCloudApiException(AirflowException):
    """A request to dbt Cloud failed.

    Attributes:
        error: The client's error with its facts: status, user_message, retryable …
    """

    def __init__(self, message: str = "", *, error: DbtCloudError | None = None) -> None:
        super().__init__(message or str(error))
        self.error = error


class DbtCloudJobRunException(AirflowException):
    """A job run ended otherwise than it should, or did not end in time."""


class DbtCloudResourceLookupError(AirflowException):
    """A project, environment or job of a name is not there, or not the only one."""


class DbtCloudTriggerEventException(AirflowException):
    """A trigger sent something that is not an event of a dbt Cloud trigger."""


def airflow_exception(error: DbtCloudError) -> AirflowException:
    """The Airflow exception for an error of the client; raise it `from` that error."""
    if isinstance(error, LookupFailed):
        return DbtCloudResourceLookupError(str(error))
    if isinstance(error, RunFailed | RunTimedOut):
        return DbtCloudJobRunException(str(error))
    return DbtCloudApiException(error=error)
