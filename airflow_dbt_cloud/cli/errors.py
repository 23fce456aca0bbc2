"""The errors that a command shows as one message: their text is written for the person who reads it."""


def expected_errors() -> tuple[type[Exception], ...]:
    """Return them; the modules that define them are loaded only when an error has come up."""
    from airflow_dbt_cloud.local.settings import ServerError
    from airflow_dbt_cloud.runner.errors import RunnerError

    return (RunnerError, ServerError)
