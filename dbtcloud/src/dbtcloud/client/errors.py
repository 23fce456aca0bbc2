"""What can go wrong with dbt Cloud, as one tree of exceptions that carry their facts.

DbtCloudError
├── ApiError                  dbt Cloud answered, and said no
│   ├── BadRequest            400
│   ├── Unauthorized          401
│   ├── Forbidden             403
│   ├── NotFound              404
│   ├── RequestTimeout        408
│   ├── Conflict              409
│   ├── Unprocessable         422
│   ├── RateLimited           429
│   └── ServerError           5xx
├── MalformedResponse         something answered, but not as the dbt Cloud API does
├── TransportError            nothing answered
├── AmbiguousStart            a run may have been started, and cannot be found
├── RunFailed                 the run ended in error
│   └── RunCancelled          the run was cancelled
├── NotRetryable              dbt Cloud cannot take a run up where it failed
├── RunTimedOut               the wait ended before the run did
├── LookupFailed              no object of that name, or several
├── ConnectionUnreadable      where the account and its token are kept does not answer
├── InvalidArgument           an id, path or value that cannot be sent
└── ArtifactError             an artifact could not be read or stored
    └── ArtifactMissing       the run has none of that name
"""

from __future__ import annotations

import copyreg
from typing import Any, ClassVar


class DbtCloudError(Exception):
    """Base of every error of this package: what happened, why, and what to do.

    Args:
        what: What happened, one sentence without its final full stop.
        why: The cause as far as it is known.
        fix: What the reader can do about it.
    """

    retryable: ClassVar[bool] = False
    """Whether the same request may succeed when sent again a little later."""

    def __init__(self, what: str, *, why: str | None = None, fix: str | None = None) -> None:
        self.what, self.why, self.fix = what, why, fix
        parts = (part.strip().rstrip(".") for part in (what, why, fix) if part and part.strip())
        super().__init__(". ".join(parts) + ".")

    def __reduce__(self) -> tuple[Any, ...]:
        # By default, unpickling calls `__init__` with the message alone, which most classes here cannot take.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class ApiError(DbtCloudError):
    """dbt Cloud answered with an error status.

    Attributes:
        status: The HTTP status code.
        user_message: `status.user_message` of the envelope, "" where the body was not an envelope.
        developer_message: `status.developer_message` of the envelope, or "".
        method: The HTTP method of the request.
        target: Path and query of the request (they never hold the token).
        data: `data` of the envelope: dbt Cloud puts details of a 400 there.
    """

    hint: ClassVar[str] = ""

    def __init__(
        self,
        status: int,
        method: str,
        target: str,
        *,
        user_message: str = "",
        developer_message: str = "",
        data: Any = None,
    ) -> None:
        self.status, self.method, self.target, self.data = status, method, target, data
        self.user_message, self.developer_message = user_message, developer_message
        super().__init__(
            f"dbt Cloud answered {status} to {method} {target}", why=self._reason(), fix=self.hint
        )

    def _reason(self) -> str:
        said = [str(part) for part in (self.user_message, self.developer_message, self.data) if part]
        return "It said: " + " ".join(said) if said else ""


class BadRequest(ApiError):
    """400: a parameter was refused; `data` names it."""

    hint = "Correct the parameter that the answer names"


class Unauthorized(ApiError):
    """401: the token is wrong, expired, or belongs to another host (dbt Cloud answers both alike)."""

    hint = "Check the API token of the connection, and that the host is the Access URL of the same account"


class Forbidden(ApiError):
    """403: the token may not do this, or the account restricts the addresses that may call it."""

    hint = "Check the token's permission sets, the account id, and the account's IP restrictions"


class NotFound(ApiError):
    """404: there is no such object, or the token may not see it (dbt Cloud answers both alike)."""

    hint = "Check the id, the account id, and that the token's permission sets cover the object"


class RequestTimeout(ApiError):
    """408: dbt Cloud, or a proxy before it, gave up. A POST may have taken effect all the same."""

    retryable = True
    hint = "This usually passes; if it does not, ask whoever runs the proxies on the way"


class Conflict(ApiError):
    """409: the object is in a state that does not allow this."""


class Unprocessable(ApiError):
    """422: the request was understood and refused."""


class RateLimited(ApiError):
    """429: too many requests; dbt Cloud then cools down for about five minutes.

    Attributes:
        retry_after: Seconds that the answer asked to wait, or None (documented for some endpoints only).
    """

    retryable = True
    hint = "Ask less often; the limit is 5,000 requests a minute for an account"

    def __init__(
        self, status: int, method: str, target: str, *, retry_after: float | None = None, **facts: Any
    ) -> None:
        self.retry_after = retry_after
        super().__init__(status, method, target, **facts)


class ServerError(ApiError):
    """5xx: dbt Cloud failed. A POST may have taken effect all the same."""

    retryable = True
    hint = "This usually passes; see https://status.getdbt.com if it does not"


class MalformedResponse(DbtCloudError):
    """The answer was not what the API gives: a web page, a redirect, cut or misshapen JSON."""

    retryable = True


class TransportError(DbtCloudError):
    """No answer came: the address, the connection or the time ran out.

    Attributes:
        sent: False when it is certain that no byte of the request left this machine.
    """

    retryable = True

    def __init__(self, what: str, *, sent: bool, why: str | None = None, fix: str | None = None) -> None:
        self.sent = sent
        super().__init__(what, why=why, fix=fix)


class AmbiguousStart(DbtCloudError):
    """A run may or may not have been started, and no look could tell.

    Attributes:
        marker: The text in the run's cause by which it can be found.
    """

    def __init__(self, marker: str, *, why: str | None = None) -> None:
        self.marker = marker
        super().__init__(
            "It is not clear whether dbt Cloud started a run, so none was asked for again",
            why=why,
            fix=f"Look in dbt Cloud for a run whose cause ends in {marker!r}, then clear the task",
        )


class RunFailed(DbtCloudError):
    """A run ended otherwise than with success.

    Attributes:
        run_id: The run.
        status: The status code it ended with.
    """

    outcome: ClassVar[str] = "has failed"

    def __init__(self, run_id: int, status: int, *, why: str | None = None, url: str | None = None) -> None:
        self.run_id, self.status = run_id, status
        super().__init__(f"Job run {run_id} {self.outcome}", why=why, fix=f"See {url}" if url else None)


class RunCancelled(RunFailed):
    """A run was cancelled, by a person or by a limit of dbt Cloud."""

    outcome = "has been cancelled"


class NotRetryable(DbtCloudError):
    """dbt Cloud cannot start a run that goes on where this one failed.

    Attributes:
        run_id: The run.
        reason: dbt Cloud's `retry_not_supported_reason`, such as "RETRY_NOT_LATEST_RUN", or "".
    """

    def __init__(self, run_id: int, reason: str, why: str) -> None:
        self.run_id, self.reason = run_id, reason
        super().__init__(
            f"Run {run_id} cannot be retried from its failure", why=f"{why[:1].upper()}{why[1:]}"
        )


class RunTimedOut(DbtCloudError):
    """The time to wait ran out while the run was still going.

    Attributes:
        run_id: The run.
        status: The status code it was last seen with.
    """

    def __init__(self, run_id: int, status: int, seconds: float, *, url: str | None = None) -> None:
        self.run_id, self.status = run_id, status
        super().__init__(
            f"Job run {run_id} has not reached a terminal status after {seconds:g} seconds; it goes on",
            why=f"It was still {'queued' if status == 1 else 'running'} when it was last seen"
            if status
            else None,
            fix=f"Raise the timeout, or see what holds it up{f' at {url}' if url else ''}",
        )


class LookupFailed(DbtCloudError):
    """A project, environment or job was asked for by name and there is not exactly one.

    Attributes:
        kind: "project", "environment" or "job".
        name: The name that was asked for.
        count: How many objects carry it.
    """

    def __init__(self, kind: str, name: str, count: int, *, where: str = "") -> None:
        self.kind, self.name, self.count = kind, name, count
        super().__init__(
            f"Found {count or 'no'} {kind}{'s' if count > 1 else ''} named {name!r}{where}",
            why="Names are compared whole, upper and lower case as given",
            fix=f"Correct the name, or give the {kind}'s id"
            if not count
            else f"Give the {kind}'s id instead",
        )


class ConnectionUnreadable(DbtCloudError):
    """Address and token could not be read from where they are kept, or are there no more."""


class InvalidArgument(DbtCloudError, ValueError):
    """A value that cannot be part of a request: an id that is no number, a path that leaves its place."""


class ArtifactError(DbtCloudError):
    """An artifact could not be read or stored."""


class ArtifactMissing(ArtifactError):
    """A run has no artifact of that name, or none that a pattern means."""
