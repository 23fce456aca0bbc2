"""The files that dbt wrote in runs."""

from __future__ import annotations

from dbtcloud.resources.faces import F, Resource


class Artifacts(Resource[F]):
    """The files that dbt wrote in runs."""
