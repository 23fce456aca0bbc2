"""Webhook subscriptions, and the calls that create and change them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from dbtcloud.client.data_fields import DataField
from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.models import Json
from dbtcloud.client.protocol import identifier
from dbtcloud.client.shown_text import shown_value
from dbtcloud.client.typed_json import TypedFields

SUBSCRIPTIONS = "webhooks/subscriptions"
"""The path of the list, after the account. Paths of webhooks do not end in a slash."""

_ID = re.compile(r"\w[\w-]{0,99}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

READ_ONLY = frozenset(
    {
        "account_id",
        "account_identifier",
        "created_at",
        "deactivate_reason",
        "dispatched_at",
        "hmac_secret",
        "http_status_code",
        "id",
        "updated_at",
    }
)
"""Fields of a subscription that dbt Cloud sets itself."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook subscription (API v3, "Retrieve Webhooks Subscription").

    Attributes:
        id: Such as "wsu_12345abcde".
        name: Its name.
        data: All that dbt Cloud sent. After its creation, that includes the secret.
    """

    id: str
    name: str
    data: Json = field(repr=False, compare=False)

    description = DataField(str)
    client_url = DataField(str)
    event_types = DataField(list[str])
    active = DataField(bool)
    http_status_code = DataField(str)
    deactivate_reason = DataField(str)
    hmac_secret = DataField(str)

    @classmethod
    def parse(cls, data: Json) -> Self:
        """Parse the subscription from the API's JSON.

        Raises:
            MalformedResponse: If it has no id, or a field has an unexpected type.
        """
        fields = TypedFields(data, "a webhook subscription")
        return cls(fields.required_text("id"), fields.text("name") or "", data)

    @property
    def job_ids(self) -> list[int]:
        """The jobs whose runs it is about; an empty list for all jobs."""
        ids = self.data.get("job_ids")
        return [int(each) for each in ids if str(each).isdigit()] if isinstance(ids, list) else []

    @property
    def created_at(self) -> datetime | None:
        """When it was created, or None if dbt Cloud did not send that."""
        # dbt Cloud writes microseconds since 1970, as text.
        microseconds = str(self.data.get("created_at"))
        return _EPOCH + timedelta(microseconds=int(microseconds)) if microseconds.isdigit() else None

    def to_dict(self) -> dict[str, Any]:
        """Return all that dbt Cloud sent except the secret, as plain JSON values."""
        return {name: value for name, value in self.data.items() if name != "hmac_secret"}


def webhook_path(webhook_id: str) -> str:
    """Return the path of a subscription, after the account.

    Raises:
        InvalidArgument: If it is no id.
    """
    if not isinstance(webhook_id, str) or not _ID.fullmatch(webhook_id):
        shown = shown_value(webhook_id)
        raise InvalidArgument(
            f"{shown[:1].upper()}{shown[1:]} is not a valid webhook id",
            why="Those of dbt Cloud look like 'wsu_12345abcde'",
            fix="Take the id from webhooks.list()",
        )
    return f"webhooks/subscription/{webhook_id}"


def webhook_body(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a subscription as dbt Cloud takes them.

    Job ids are numbers, and fields that are None or empty are left out.

    Raises:
        InvalidArgument: If a job id is not a number.
    """
    body = {name: value for name, value in fields.items() if value not in (None, "")}
    for name in ("job_ids", "event_types"):
        if isinstance(body.get(name), str | int):
            body[name] = [body[name]]
        elif name in body:
            body[name] = list(body[name])
    if "job_ids" in body:
        body["job_ids"] = [int(identifier(each, "job id")) for each in body["job_ids"]]
    return body
