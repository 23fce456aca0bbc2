"""The environment variables of projects, and what jobs have instead."""

from __future__ import annotations

from dbtcloud.resources.faces import F, Resource


class EnvironmentVariables(Resource[F]):
    """The environment variables of projects, and what jobs have instead."""
