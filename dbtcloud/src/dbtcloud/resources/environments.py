"""The environments of the account's projects."""

from __future__ import annotations

from dbtcloud.resources.faces import F, Resource


class Environments(Resource[F]):
    """The environments of the account's projects."""
