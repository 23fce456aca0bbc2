"""The exceptions of the client, in one tree.

DbtCloudError
├── ApiError                  dbt Cloud answered with an error status
│   ├── BadRequest            400
│   ├── Unauthorized          401
│   ├── Forbidden             403
│   ├── NotFound              404
│   ├── MethodNotAllowed      405
│   ├── RequestTimeout        408
│   ├── Conflict              409
│   ├── Unprocessable         422
│   ├── RateLimited           429
│   └── ServerError           5xx
├── MalformedResponse         the answer is not one of the dbt Cloud API
├── TransportError            no answer arrived
├── AmbiguousStart            it is not clear whether a run was started
├── RunFailed                 the run ended in error
│   └── RunCancelled          the run was cancelled
├── NotRetryable              dbt Cloud cannot retry the run from its failure
├── RunTimedOut               the timeout was reached before the run ended
├── LookupFailed              no object has that name, or several have it
├── ConnectionUnreadable      the connection to dbt Cloud cannot be read
├── InvalidArgument           an id, path or other value is not valid
└── ArtifactError             an artifact could not be read or stored
    ├── ArtifactMissing       the run has no such artifact
    └── LogMissing            there is no log of a step
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from dbtcloud.client.shown_text import Mask

_Rows = Sequence[Mapping[str, Any]]
_NAMES_IN_MESSAGE = 5
_UNFINISHED = {1: "queued", 2: "starting"}  # statuses of runs that are not running yet


class DbtCloudError(Exception):
    """Base class of all errors of the client. The message says what happened, why, and what to do.

    It has at most `shown_text.MAX_MESSAGE` characters. Of longer parts, the middle is left out.

    Args:
        what: What happened, as a sentence without its full stop.
        why: The cause as far as it is known, or None.
        fix: What the reader can do about it, or None.
    """

    retryable: ClassVar[bool] = False
    """Whether the same request may succeed a little later."""

    def __init__(self, what: str, *, why: str | None = None, fix: str | None = None) -> None:
        self.what, self.why, self.fix = what, why, fix
        super().__init__(self._message())

    def _message(self) -> str:
        # Imported only for an error: DAG files import this module.
        from dbtcloud.client.shown_text import cut_middle, mask_credentials

        # A part that is too long must not take the place of the others. Together they keep to MAX_MESSAGE.
        limits = ((self.what, 3_000), (self.why, 5_000), (self.fix, 1_900))
        parts = ((part.strip().rstrip("."), limit) for part, limit in limits if part and part.strip())
        text = ". ".join(cut_middle(mask_credentials(part), limit) for part, limit in parts)
        return text if text.endswith("?") else f"{text}."

    def mask(self, mask: Mask) -> None:
        """Mask the secrets in the message, in the attributes, and in the errors that led to this one."""
        from dbtcloud.client.shown_text import mask_values

        vars(self).update(mask_values(dict(vars(self)), mask))
        self.args = (self._message(), *self.args[1:])
        for name in ("__cause__", "__context__"):
            cause = getattr(self, name)
            if isinstance(cause, DbtCloudError):
                cause.mask(mask)
            elif cause is not None and mask(text := f"{cause} {cause!r}") != text:
                setattr(self, name, None)

    def __reduce__(self) -> tuple[Any, ...]:
        # By default, unpickling calls `__init__` with the message alone, which most classes here cannot take.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class ApiError(DbtCloudError):
    """dbt Cloud answered with an error status.

    Attributes:
        status: The HTTP status code.
        user_message: `status.user_message` of the envelope, or "" if the body is not an envelope.
        developer_message: `status.developer_message` of the envelope, or "".
        method: The HTTP method of the request.
        target: Path and query of the request, which never hold the token.
        data: `data` of the envelope, where dbt Cloud puts the details of a 400.
    """

    hint: ClassVar[str] = "Look up the request and this status in dbt Cloud's API reference"
    """What the reader can do about an error of this class."""

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
        details = [str(part) for part in (self.user_message, self.developer_message, self.data) if part]
        return "It said: " + " ".join(details) if details else ""


class BadRequest(ApiError):
    """400: dbt Cloud refused a parameter, which `data` names."""

    hint = "Correct the parameter that dbt Cloud names"


class Unauthorized(ApiError):
    """401: the token is wrong, has expired, or belongs to another host. dbt Cloud does not say which."""

    hint = (
        "Check the API token, which may have expired or been revoked, "
        "and that the host is the Access URL of the same account"
    )


class Forbidden(ApiError):
    """403: the token lacks a permission, or the account does not allow this IP address."""

    hint = "Check the account id, the token's permission sets, and the account's IP restrictions"


class NotFound(ApiError):
    """404: there is no such object, or the token may not read it. dbt Cloud does not say which."""

    hint = "Check the account id and the other ids, and that the token's permission sets cover the object"


class MethodNotAllowed(ApiError):
    """405: the path does not take this method, as where its slash at the end is missing."""

    hint = "Check the method and the path, of which most end in a slash"


class RequestTimeout(ApiError):
    """408: dbt Cloud or a proxy in between timed out. A POST may still have had its effect."""

    retryable = True
    hint = "This is usually temporary; if it persists, check the proxies between this machine and dbt Cloud"


class Conflict(ApiError):
    """409: the object is in a state that does not allow this."""

    hint = "Look at the object in dbt Cloud, and try again when its state allows the request"


class Unprocessable(ApiError):
    """422: the request was understood and refused."""

    hint = "Correct what dbt Cloud names"


class RateLimited(ApiError):
    """429: too many requests. dbt Cloud then refuses requests for about five minutes.

    Attributes:
        retry_after: Seconds to wait according to the answer, or None. Only some endpoints send them.
    """

    retryable = True
    hint = "Wait five minutes, and send fewer requests: an account may send 5,000 per minute"

    def __init__(
        self, status: int, method: str, target: str, *, retry_after: float | None = None, **facts: Any
    ) -> None:
        self.retry_after = retry_after
        super().__init__(status, method, target, **facts)


class ServerError(ApiError):
    """5xx: dbt Cloud failed. A POST may still have had its effect."""

    retryable = True
    hint = "This is usually temporary; if it persists, see https://status.getdbt.com"


class MalformedResponse(DbtCloudError):
    """The answer is not one of the API: a web page, a redirect, incomplete or unexpected JSON."""

    retryable = True

    _FIX = "Try again; if this persists, check the proxies between this machine and dbt Cloud"

    def __init__(self, what: str, *, why: str | None = None, fix: str | None = _FIX) -> None:
        super().__init__(what, why=why, fix=fix)

    @classmethod
    def unexpected(cls, what: str, data: object) -> Self:
        """Return the error for unexpected JSON. It shows the kind of `data`, but none of its values."""
        if isinstance(data, Mapping):
            sent = f"an object with {', '.join(map(str, list(data)[:20])) or 'no fields'}"
        else:
            kinds = {list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
            sent = kinds.get(type(data), "a number")
        return cls(what, why=f"It sent {sent}")


class TransportError(DbtCloudError):
    """No complete answer arrived: the host, the connection or the network failed, or a timeout was reached.

    Attributes:
        sent: False if certainly no byte of the request was sent.
    """

    retryable = True

    def __init__(self, what: str, *, sent: bool, why: str | None = None, fix: str | None = None) -> None:
        self.sent = sent
        super().__init__(what, why=why, fix=fix)


class AmbiguousStart(DbtCloudError):
    """It is not clear whether a run was started: the job's runs cannot be listed, or do not show it clearly.

    Attributes:
        marker: The marker in the run's cause, or "" for a retry of a run, which has no cause of ours.
        retried_run_id: The run that the run retries from its point of failure, or None.
    """

    def __init__(
        self, marker: str, *, retried_run_id: int | str | None = None, why: str | None = None
    ) -> None:
        self.marker, self.retried_run_id = marker, retried_run_id
        retry = f"that retries run {retried_run_id}" if retried_run_id else "that began just now"
        wanted = f"whose cause contains {marker!r}" if marker else retry
        super().__init__(
            "It is not clear whether dbt Cloud started a run, so the request was not sent again",
            why=why,
            fix=f"Search the job's runs in dbt Cloud for one {wanted}. If there is one, let it end or cancel "
            "it. Then start again (in Airflow: clear the task) if a run is still needed",
        )


class RunFailed(DbtCloudError):
    """A run did not succeed.

    Attributes:
        run_id: The run.
        status: The status code at its end.
    """

    outcome: ClassVar[str] = "has failed"

    def __init__(self, run_id: int, status: int, *, why: str | None = None, url: str | None = None) -> None:
        self.run_id, self.status = run_id, status
        super().__init__(f"Job run {run_id} {self.outcome}", why=why, fix=f"See {url}" if url else None)


class RunCancelled(RunFailed):
    """A run was cancelled by a person or by dbt Cloud."""

    outcome = "has been cancelled"


class NotRetryable(DbtCloudError):
    """dbt Cloud cannot retry a run from its point of failure.

    Attributes:
        run_id: The run.
        reason: dbt Cloud's `retry_not_supported_reason`, such as "RETRY_NOT_LATEST_RUN", or "".
    """

    # No `fix`: the callers add what they do instead, or what else the user can start.
    def __init__(self, run_id: int, reason: str, why: str) -> None:
        self.run_id, self.reason = run_id, reason
        what = f"Run {run_id} cannot be retried from its point of failure"
        super().__init__(what, why=f"{why[:1].upper()}{why[1:]}")


class RunTimedOut(DbtCloudError):
    """The timeout of a wait was reached before the run ended.

    Attributes:
        run_id: The run.
        status: The status code of the last poll, or 0 if no poll succeeded.
    """

    def __init__(self, run_id: int, status: int, seconds: float, *, url: str | None = None) -> None:
        self.run_id, self.status = run_id, status
        last = f"The last poll found it {_UNFINISHED.get(status, 'running')}"
        super().__init__(
            f"Job run {run_id} has not reached a terminal status after {seconds:g} seconds; "
            "it may still be running",
            why=last if status else "No poll succeeded, so its status is not known",
            fix=f"Find out why it takes so long{f' at {url}' if url else ''}, or raise the timeout",
        )


class LookupFailed(DbtCloudError):
    """No project, environment or job has the given name, or several have it.

    Attributes:
        kind: "project", "environment" or "job".
        name: The name.
        count: How many objects have the name.
        ids: The ids of those objects.
    """

    def __init__(self, kind: str, name: str, count: int, *, where: str = "", candidates: _Rows = ()) -> None:
        self.kind, self.name, self.count = kind, name, count
        self.ids = [row.get("id") for row in candidates]
        found = f"Found {count} {kind}{'' if count == 1 else 's'} named {name!r}{where}"
        # A job's id is enough by itself: projects and environments are needed only to find a job by its name.
        if count:
            named = ", ".join(_with_place(kind, row) for row in candidates[:_NAMES_IN_MESSAGE])
            more = f" and {count - _NAMES_IN_MESSAGE} more" if count > _NAMES_IN_MESSAGE else ""
            why = f"Only one may have the name{f', and these have it: {named}{more}' if named else ''}"
            super().__init__(found, why=why, fix="Give the job's id instead of names")
        else:
            super().__init__(
                found,
                why="The whole name must match, with its case, and the token must be able to read the object",
                fix="Correct the name, or give the job's id",
            )


def _with_place(kind: str, row: Mapping[str, Any]) -> str:
    """Return an object's id, and those of the environment and the project that it belongs to."""
    parts = [f"{name} {row[f'{name}_id']}" for name in ("environment", "project") if row.get(f"{name}_id")]
    place = f" ({', '.join(parts)})" if parts else ""
    return f"{kind} {row.get('id')}{place}"


class ConnectionUnreadable(DbtCloudError):
    """The connection to dbt Cloud, with its host and token, cannot be read or no longer exists."""


class InvalidArgument(DbtCloudError, ValueError):
    """A value is not valid in a request, such as an id that is not a number."""


class ArtifactError(DbtCloudError):
    """An artifact could not be read or stored."""


class ArtifactMissing(ArtifactError):
    """A run has no artifact of that name, or none that matches a pattern.

    Args:
        run_id: The run.
        path: The artifact or the pattern.
        names: The artifacts that the run has. The message shows the most similar ones.
        why: A reason that comes first in the message.
    """

    def __init__(self, run_id: int | str, path: str, names: Sequence[str], *, why: str = "") -> None:
        import difflib  # only for an error: DAG files import this module

        similar = difflib.get_close_matches(path, names, _NAMES_IN_MESSAGE)
        ranked = [*similar, *sorted(set(names) - set(similar), key=lambda name: (name.count("/"), name))]
        more = f" and {len(ranked) - _NAMES_IN_MESSAGE} more" if len(ranked) > _NAMES_IN_MESSAGE else ""
        others = f"It has {', '.join(ranked[:_NAMES_IN_MESSAGE])}{more}" if ranked else "It has no artifacts"
        super().__init__(
            f"Run {run_id} has no artifact {path!r}",
            why=". ".join(part for part in (why, others) if part),
            fix="Correct the name, or let the job write it: `dbt docs generate` writes catalog.json, "
            "`dbt source freshness` writes sources.json",
        )


class LogMissing(ArtifactError):
    """dbt Cloud has no log of a step of a run.

    Args:
        run_id: The run.
        step: The step's position.
        name: The step's name.
    """

    def __init__(self, run_id: int | str, step: int, name: str) -> None:
        super().__init__(
            f"Run {run_id} has no log of step {step} ({name})",
            why="dbt Cloud may not have stored it yet, or no longer has it",
            fix="Try again in a minute, or open the run in dbt Cloud",
        )
