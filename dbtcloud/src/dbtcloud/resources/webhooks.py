"""The webhook subscriptions of the account."""

from __future__ import annotations

from dbtcloud.resources.faces import F, Resource


class Webhooks(Resource[F]):
    """The webhook subscriptions of the account."""
