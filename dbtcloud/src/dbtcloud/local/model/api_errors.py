"""Errors: the error responses of the API in dbt Cloud's words, and the reason why a server cannot start."""

from collections.abc import Collection
from typing import Any


class LocalServerError(RuntimeError):
    """The local dbt Cloud cannot start. The message says why and what to do."""


class ApiException(Exception):
    """An error response in dbt Cloud's envelope.

    Args:
        code: the HTTP status.
        user_message: the message.
        data: the envelope's `data`: details by field, a sentence, or None.
        developer_message: None or empty, as in dbt Cloud's own answers with this status.
    """

    def __init__(
        self, code: int, user_message: str, data: Any = None, developer_message: str | None = ""
    ) -> None:
        super().__init__(user_message)
        self.code = code
        self.user_message = user_message
        self.data = data
        self.developer_message = developer_message


def bad_request(data: Any) -> ApiException:
    """Return a 400 whose `data` says what is wrong (seen in apache/airflow#40047)."""
    return ApiException(
        400, "The request was invalid. Please double check the provided data and try again.", data
    )


def unknown_properties(names: Collection[str]) -> ApiException:
    """Return a 400 that names unknown parameters or fields, as dbt Cloud's JSON Schema check does."""
    verb = "was" if len(names) == 1 else "were"
    listed = ", ".join(repr(name) for name in names)
    return bad_request(f"Additional properties are not allowed ({listed} {verb} unexpected)")


def not_found() -> ApiException:
    """Return a 404. dbt Cloud also sends it when the token may not see the object."""
    message = "The requested resource was not found. Please check that you have the proper permissions."
    return ApiException(404, message)


def invalid_token() -> ApiException:
    """Return a 401: there is no token, or it is unknown."""
    return ApiException(401, "Invalid token.", developer_message=None)


def forbidden() -> ApiException:
    """Return a 403: the token may not read or change a list."""
    return ApiException(403, "Forbidden: Access denied", developer_message=None)


def body_too_large(limit: int) -> ApiException:
    """Return a 413: the body is longer than `limit` bytes."""
    return ApiException(413, f"The request body is too large. The limit is {limit:,} bytes.")


def not_implemented(method: str, path: str) -> ApiException:
    """Return a 501: dbt Cloud may have the endpoint, the local dbt Cloud does not."""
    message = (
        f"The local dbt Cloud does not implement {method} {path}. It implements what clients need to start,"
        " follow and read runs. Use a dbt Cloud account for the rest."
    )
    return ApiException(501, message)
