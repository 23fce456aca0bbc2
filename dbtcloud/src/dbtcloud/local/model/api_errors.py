"""Errors: the error responses of the API in dbt Cloud's words, and the reason why a server cannot start."""

from collections.abc import Collection
from typing import Any


class LocalServerError(RuntimeError):
    """The local dbt Cloud cannot start. The message says why and what to do."""


class ApiException(Exception):
    """A request that ends in an error envelope.

    Args:
        code: HTTP status.
        user_message: what happened, for the reader.
        data: the envelope's `data`: details by field, a sentence, or None.
        developer_message: null or empty in dbt Cloud's own answers, according to the kind.
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
    """400: the request was understood and is wrong; `data` says where (seen in apache/airflow#40047)."""
    return ApiException(
        400, "The request was invalid. Please double check the provided data and try again.", data
    )


def unknown_properties(names: Collection[str]) -> ApiException:
    """400: parameters or fields that dbt Cloud does not know, in the words of its JSON Schema check."""
    verb = "was" if len(names) == 1 else "were"
    listed = ", ".join(repr(name) for name in names)
    return bad_request(f"Additional properties are not allowed ({listed} {verb} unexpected)")


def not_found() -> ApiException:
    """404: it is not there, or the token may not see it; dbt Cloud does not tell which."""
    message = "The requested resource was not found. Please check that you have the proper permissions."
    return ApiException(404, message)


def invalid_token() -> ApiException:
    """401: no token, or a wrong one."""
    return ApiException(401, "Invalid token.", developer_message=None)


def forbidden() -> ApiException:
    """403: the token's permission sets do not reach a whole list."""
    return ApiException(403, "Forbidden: Access denied", developer_message=None)


def body_too_large(most: int) -> ApiException:
    """413: the body is longer than `most` bytes."""
    return ApiException(413, f"The request body is too large: at most {most:,} bytes are read.")


def not_implemented(method: str, path: str) -> ApiException:
    """501: dbt Cloud may have it, this server has not."""
    message = (
        f"The local dbt Cloud does not serve {method} {path}. It serves what starting, watching and reading "
        "runs takes; use a dbt Cloud account for the rest."
    )
    return ApiException(501, message)
