"""The webhook subscriptions of the account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict, Unpack

from dbtcloud import webhooks
from dbtcloud.client.definitions.changes import create_object, delete_object, update_object
from dbtcloud.client.definitions.webhook import (
    READ_ONLY,
    SUBSCRIPTIONS,
    Webhook,
    webhook_body,
    webhook_path,
)
from dbtcloud.client.protocol import Call, Id, Request, ask_for_data
from dbtcloud.client.typed_json import TypedFields
from dbtcloud.resources.base.faces import F, Resource, listing, operation
from dbtcloud.resources.base.pages import Listing


class WebhookFields(TypedDict, total=False):
    """The fields of a webhook subscription that need not be given (API v3, `SubscriptionRequest`).

    Attributes:
        description: What it is for.
        job_ids: The jobs whose runs it is about; none for all jobs, the default.
        active: Whether dbt Cloud sends it anything; true by default.
    """

    description: str | None
    job_ids: Iterable[Id]
    active: bool


class WebhookChanges(WebhookFields, total=False):
    """The fields of a webhook subscription that can be changed.

    Attributes:
        name: Its name.
        client_url: The address that dbt Cloud sends events to.
        event_types: "job.run.started", "job.run.completed" or "job.run.errored", or several of them.
    """

    name: str
    client_url: str
    event_types: Iterable[str]


class Webhooks(Resource[F]):
    """The webhook subscriptions of the account (API v3, "Webhooks")."""

    verify = staticmethod(webhooks.verify)
    """`dbtcloud.webhooks.verify`, which sends nothing: it is not awaited on either client."""

    @listing
    def list(self, *, limit: int | None = None) -> Listing[Webhook]:
        """List the subscriptions (API v3, "List Webhooks Subscriptions").

        Args:
            limit: Largest number of subscriptions; all if None.
        """
        request = Request.any(self._account_id, "GET", SUBSCRIPTIONS, params={}, body=None, version="v3")
        return Listing(request, Webhook.parse, limit)

    @operation
    def get(self, webhook_id: str) -> Call[Webhook]:
        """Get a subscription (API v3, "Retrieve Webhooks Subscription").

        Args:
            webhook_id: The subscription, such as "wsu_12345abcde".

        Raises:
            NotFound: If there is no such subscription.
            DbtCloudError: If the request fails.
        """
        path = webhook_path(webhook_id)
        request = Request.any(self._account_id, "GET", path, params={}, body=None, version="v3")
        return (yield from ask_for_data(request, Webhook.parse))

    @operation
    def create(
        self, name: str, client_url: str, event_types: Iterable[str], **fields: Unpack[WebhookFields]
    ) -> Call[Webhook]:
        """Create a subscription (API v3, "Create Webhooks Subscription").

        Only this answer of dbt Cloud has the secret that `verify` needs: `hmac_secret`. Store it.

        Args:
            name: Its name.
            client_url: The address that dbt Cloud sends events to.
            event_types: "job.run.started", "job.run.completed" (also for runs that failed) or
                "job.run.errored", or several of them.
            fields: Its other fields (see `WebhookFields`). Any other field of the API is sent as well.

        Raises:
            BadRequest: If dbt Cloud refuses a field.
            DbtCloudError: If the request fails. It is not sent twice, so after a lost answer the subscription
                may exist.
        """
        given = {"name": name, "client_url": client_url, "event_types": event_types, "active": True, **fields}
        return (yield from create_object(self._account_id, SUBSCRIPTIONS, webhook_body(given), Webhook.parse))

    @operation
    def update(self, webhook_id: str, **changes: Unpack[WebhookChanges]) -> Call[Webhook]:
        """Change fields of a subscription (API v3, "Update Webhooks Subscription"). It keeps all others.

        The subscription is read first. Making it active again resets its count of failures.

        Args:
            webhook_id: The subscription.
            changes: The fields that change (see `WebhookChanges`). Any other field of the API is sent as
                well.

        Raises:
            NotFound: If there is no such subscription.
            BadRequest: If dbt Cloud refuses a field.
            DbtCloudError: If a request fails.
        """
        return (
            yield from update_object(
                self._account_id,
                webhook_path(webhook_id),
                {**changes},
                Webhook.parse,
                read_only=READ_ONLY,
                body=webhook_body,
                method="PUT",
            )
        )

    @operation
    def delete(self, webhook_id: str) -> Call[None]:
        """Delete a subscription (API v3, "Destroy Webhooks Subscription"). No more events are sent to it.

        Args:
            webhook_id: The subscription.

        Raises:
            NotFound: If there is no such subscription.
            DbtCloudError: If the request fails.
        """
        yield from delete_object(self._account_id, webhook_path(webhook_id))

    @operation
    def test(self, webhook_id: str) -> Call[str]:
        """Let dbt Cloud send an invented event to a subscription (API v3, "Test Webhooks Subscription").

        Args:
            webhook_id: The subscription.

        Returns:
            The id of the event.

        Raises:
            NotFound: If there is no such subscription.
            DbtCloudError: If the request fails.
        """
        path = f"{webhook_path(webhook_id)}/test"
        request = Request.any(self._account_id, "GET", path, params={}, body=None, version="v3")
        return (yield from ask_for_data(request, _event_id))


def _event_id(data: object) -> str:
    return TypedFields(data, "a test of a webhook").required_text("event_id")
