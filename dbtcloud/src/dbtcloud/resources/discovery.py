"""The metadata of models, tests and sources (Discovery API)."""

from __future__ import annotations

from dbtcloud.resources.faces import F, Resource


class Discovery(Resource[F]):
    """The metadata of models, tests and sources (Discovery API)."""
