"""The error responses of the API in dbt Cloud's words, and the error of a server that cannot start."""

from collections.abc import Collection
from typing import Any, Self


class LocalServerError(RuntimeError):
    """The local dbt Cloud cannot start. The message says why and what to do."""


class ApiException(Exception):
    """An error response in dbt Cloud's envelope.

    Args:
        code: the HTTP status.
        user_message: the message.
        data: the envelope's `data`: details by field, a sentence, or None.
        developer_message: None or empty, as in dbt Cloud's own responses with this status.
    """

    def __init__(
        self, code: int, user_message: str, data: Any = None, developer_message: str | None = ""
    ) -> None:
        super().__init__(user_message)
        self.code = code
        self.user_message = user_message
        self.data = data
        self.developer_message = developer_message

    def __reduce__(self) -> tuple[Any, ...]:
        # By default, unpickling calls `__init__` with the message alone.
        arguments = (self.code, self.user_message, self.data, self.developer_message)
        return type(self), arguments, vars(self)

    @classmethod
    def bad_request(cls, data: Any) -> Self:
        """Return a 400 whose `data` says what is wrong (seen in apache/airflow#40047)."""
        return cls(400, "The request was invalid. Please double check the provided data and try again.", data)

    @classmethod
    def unknown_properties(cls, names: Collection[str]) -> Self:
        """Return a 400 that names unknown parameters or fields, as dbt Cloud's JSON Schema check does."""
        verb = "was" if len(names) == 1 else "were"
        listed = ", ".join(repr(name) for name in names)
        return cls.bad_request(f"Additional properties are not allowed ({listed} {verb} unexpected)")

    @classmethod
    def invalid_token(cls) -> Self:
        """Return a 401: there is no token, or it is unknown."""
        return cls(401, "Invalid token.", developer_message=None)

    @classmethod
    def control_token_required(cls) -> Self:
        """Return a 401: the control plane got neither its own token nor that of the server."""
        message = (
            "The control plane requires a token. Send the server's own token, or the one in the file"
            " control_token of its data folder, as 'Authorization: Token …'."
        )
        return cls(401, message, developer_message=None)

    @classmethod
    def forbidden(cls) -> Self:
        """Return a 403: the token may not read or change a list."""
        return cls(403, "Forbidden: Access denied", developer_message=None)

    @classmethod
    def not_found(cls) -> Self:
        """Return a 404. dbt Cloud also sends it when the token may not see the object."""
        message = "The requested resource was not found. Please check that you have the proper permissions."
        return cls(404, message)

    @classmethod
    def body_too_large(cls, limit: int) -> Self:
        """Return a 413: the body is longer than `limit` bytes."""
        return cls(413, f"The request body is too large. The limit is {limit:,} bytes.")

    @classmethod
    def not_implemented(cls, method: str, path: str) -> Self:
        """Return a 501: dbt Cloud may have the endpoint, the local dbt Cloud does not."""
        message = (
            f"The local dbt Cloud does not implement {method} {path}. It implements what clients need to"
            " start, follow and read runs. Use a dbt Cloud account for the rest."
        )
        return cls(501, message)
