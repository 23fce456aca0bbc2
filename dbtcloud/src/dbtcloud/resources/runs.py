"""The runs of the account's jobs."""

from __future__ import annotations

from dbtcloud.resources.faces import F, Resource


class Runs(Resource[F]):
    """The runs of the account's jobs."""
