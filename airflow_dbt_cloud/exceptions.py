"""The exceptions that Airflow users catch, and the one function that makes them from the client's errors."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowException, AirflowSensorTimeout

from dbtcloud.client.errors import DbtCloudError, LookupFailed, RunFailed, RunTimedOut


class _BoundedException(AirflowException):
    """An exception whose message has at most 10,000 characters. Of a longer one, the middle is left out."""

    def __init__(self, message: str = "") -> None:
        # Imported only for an error: DAG files import this module.
        from dbtcloud.client.shown_text import MAX_MESSAGE, cut_middle

        super().__init__(cut_middle(str(message), MAX_MESSAGE))


class _ClientErrorException(_BoundedException):
    """An exception that carries the client's error."""

    def __init__(self, message: str = "", *, error: DbtCloudError | None = None) -> None:
        super().__init__(message or str(error or ""))
        self.error = error


class DbtCloudApiException(_ClientErrorException):
    """A request to dbt Cloud failed.

    Attributes:
        error: The client's error with its facts, such as `status`, `user_message` and `retryable`.
    """


class DbtCloudJobRunException(_ClientErrorException):
    """A job run did not succeed, or did not end in time.

    Attributes:
        error: The client's error: `RunFailed`, `RunCancelled` or `RunTimedOut` of `dbtcloud.client.errors`.
            None where the run's status did not come from dbt Cloud directly, as after a deferral.
    """


class DbtCloudResourceLookupError(_ClientErrorException):
    """No project, environment or job has the given name, or several do.

    Attributes:
        error: The client's error, a `LookupFailed` with `kind`, `name` and `count`.
    """


class DbtCloudSensorTimeout(AirflowSensorTimeout, DbtCloudJobRunException):
    """A run did not end within the timeout of the sensor that waits for it.

    Airflow handles it as the timeout of a sensor, and `except DbtCloudJobRunException` catches it.
    """


class DbtCloudTriggerEventException(_BoundedException):
    """A task resumed with an event that no dbt Cloud trigger sends."""


def airflow_exception(error: DbtCloudError) -> AirflowException:
    """Return the Airflow exception to raise from an error of the client."""
    if isinstance(error, LookupFailed):
        return DbtCloudResourceLookupError(error=error)
    if isinstance(error, RunFailed | RunTimedOut):
        return DbtCloudJobRunException(error=error)
    return DbtCloudApiException(error=error)
