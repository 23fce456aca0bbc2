"""The errors that a command shows as one message: their text is written for the person who reads it."""


def expected_errors() -> tuple[type[Exception], ...]:
    """Return them; the modules that define them are loaded only when an error has come up."""
    from dbtcloud.core.runner_errors import RunnerError
    from dbtcloud.local.model.api_errors import LocalServerError

    return (RunnerError, LocalServerError)
