"""The projects of the account."""

from __future__ import annotations

from dbtcloud.resources.faces import F, Resource


class Projects(Resource[F]):
    """The projects of the account."""
