"""The accounts that the token can read."""

from __future__ import annotations

from dbtcloud.resources.faces import F, Resource


class Accounts(Resource[F]):
    """The accounts that the token can read."""
