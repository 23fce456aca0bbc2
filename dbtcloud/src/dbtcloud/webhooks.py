"""Check and read the webhooks that dbt Cloud sends, in any web application.

A view of Django, for example, passes its request on:

    event = verify(request.body, request.headers, secret)

It needs no client and imports no HTTP library.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from dbtcloud.client.data_fields import DataField
from dbtcloud.client.errors import DbtCloudError, InvalidArgument, MalformedResponse
from dbtcloud.client.run_status import RunStatus
from dbtcloud.client.typed_json import TypedFields, parse_json

_HEADER = "authorization"
_MAX_DIGITS = 20


class InvalidSignature(DbtCloudError):
    """A webhook is not signed with the secret of its subscription, so it may not come from dbt Cloud."""


@dataclass(frozen=True, slots=True)
class JobRunEvent:
    """What a webhook says about a run (dbt Cloud documentation, "Webhooks for your jobs").

    Attributes:
        event_type: "job.run.started", "job.run.completed" (also if the run failed) or "job.run.errored".
        run_id: The run.
        job_id: Its job.
        data: All that dbt Cloud sent.
    """

    event_type: str
    run_id: int
    job_id: int
    data: Mapping[str, Any] = field(repr=False, compare=False)

    id = DataField(str, "eventId")
    timestamp = DataField(datetime)
    account_id = DataField(int, "accountId")
    webhook_name = DataField(str, "webhookName")
    job_name = DataField(str, "data.jobName")
    project_name = DataField(str, "data.projectName")
    environment_name = DataField(str, "data.environmentName")
    dbt_version = DataField(str, "data.dbtVersion")
    status = DataField(int, "data.runStatusCode")
    status_humanized = DataField(str, "data.runStatus")
    status_message = DataField(str, "data.runStatusMessage")
    reason = DataField(str, "data.runReason")
    started_at = DataField(datetime, "data.runStartedAt")

    _webhook_id = DataField(str, "webhookId")
    _old_webhook_id = DataField(str, "webhooksID")  # in older documentation
    _finished_at = DataField(datetime, "data.runFinishedAt")
    _errored_at = DataField(datetime, "data.runErroredAt")

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """Parse the event from the JSON of a webhook's body.

        Raises:
            MalformedResponse: If it has no type, no run or no job.
        """
        fields = TypedFields(data, "a webhook")
        run = fields.required_mapping("data")
        ids = TypedFields({name: _number(run, name) for name in ("runId", "jobId")}, "a webhook")
        kind = fields.required_text("eventType")
        return cls(kind, ids.required_integer("runId"), ids.required_integer("jobId"), data)

    @property
    def webhook_id(self) -> str | None:
        """The subscription, such as "wsu_12345abcde", or None if dbt Cloud did not send it."""
        return self._webhook_id or self._old_webhook_id

    @property
    def project_id(self) -> int | None:
        """The project of the job, or None if dbt Cloud did not send it."""
        return _number(self.data["data"], "projectId")

    @property
    def environment_id(self) -> int | None:
        """The environment of the job, or None if dbt Cloud did not send it."""
        return _number(self.data["data"], "environmentId")

    @property
    def finished_at(self) -> datetime | None:
        """When the run ended, or None if it has not."""
        return self._finished_at or self._errored_at

    @property
    def is_success(self) -> bool:
        """Whether the run has succeeded."""
        return self.status == RunStatus.SUCCESS

    def to_dict(self) -> dict[str, Any]:
        """Return all that dbt Cloud sent, as plain JSON values."""
        return dict(self.data)


def verify(
    body: bytes | str, header: str | bytes | Mapping[str, str] | None, secret: str | bytes
) -> JobRunEvent:
    """Check that dbt Cloud has sent a webhook, and return what it says.

    The signature is compared in constant time.

    Args:
        body: The body of the request as it came, not parsed.
        header: The value of the request's `Authorization` header, or all headers, whatever their case.
        secret: The secret of the subscription (`hmac_secret`), which dbt Cloud shows when it is created.

    Raises:
        InvalidSignature: If the request has no signature or another one. Answer it with 401.
        MalformedResponse: If what was signed is no event of a run.
        InvalidArgument: If the body is already parsed, or there is no secret.
    """
    raw, key = _body_bytes(body), _key(secret)
    given = _signature(header)
    expected = hmac.new(key, raw, hashlib.sha256).hexdigest().encode()
    if not hmac.compare_digest(expected, given.strip().lower()):
        raise InvalidSignature(
            "The webhook's signature does not fit to its body",
            why="The body was changed, the secret is another one, or the request is not from dbt Cloud",
            fix="Give the body as it came, byte for byte, and the hmac_secret of this subscription",
        )
    try:
        return JobRunEvent.parse(parse_json(raw))
    except ValueError as error:
        raise MalformedResponse("The webhook's body is not JSON", why=str(error), fix=None) from error


def _body_bytes(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode(errors="surrogatepass")  # no such body was signed, so its signature does not fit
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    raise InvalidArgument(
        f"The body of a webhook is a {type(body).__name__}",
        why="dbt Cloud signs the bytes that it sends, and parsed JSON no longer has them",
        fix="Give the request's raw body, such as request.body of Django or await request.body() of FastAPI",
    )


def _key(secret: object) -> bytes:
    key = secret.encode() if isinstance(secret, str) else secret
    if not isinstance(key, bytes) or not key.strip():
        raise InvalidArgument(
            "There is no secret to check a webhook with",
            why="Anybody could sign with an empty one",
            fix="Give the hmac_secret that dbt Cloud showed when the subscription was created",
        )
    return key.strip()


def _signature(header: object) -> bytes:
    """Return the signature of a header, or raise InvalidSignature."""
    if isinstance(header, Mapping):
        found = [value for name, value in header.items() if str(name).lower() == _HEADER]
        header = found[0] if len(found) == 1 else None
    if isinstance(header, str):
        header = header.encode(errors="replace")
    if not isinstance(header, bytes) or not header.strip():
        raise InvalidSignature(
            "The webhook has no signature",
            why="dbt Cloud signs each one, in the header Authorization",
            fix="Give that header; some proxies and frameworks take it away",
        )
    return header


def _number(data: Mapping[str, Any], name: str) -> int | None:
    """Return an id, which dbt Cloud writes as text here, or None if it is missing."""
    value = data.get(name)
    text = str(value) if isinstance(value, str | int) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MAX_DIGITS else None
