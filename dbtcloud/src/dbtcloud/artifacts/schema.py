"""Which artifact a file is, and of which version, as its `metadata` says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from dbtcloud.artifacts.json_values import as_mapping, as_text

_FILES = {
    "manifest": "manifest.json",
    "run-results": "run_results.json",
    "catalog": "catalog.json",
    "sources": "sources.json",
}
"""The artifacts by the names of their schemas (https://schemas.getdbt.com)."""


class InvalidArtifact(ValueError):
    """A file is not the artifact that it was taken for.

    Attributes:
        kind: What it was taken for, such as "manifest".
    """

    def __init__(self, kind: str, why: str) -> None:
        self.kind = kind
        file = _FILES[kind]
        super().__init__(
            f"This is no {file}. {why.rstrip('.')}. Give {file} as dbt has written it into its target folder."
        )


@dataclass(frozen=True, slots=True)
class ArtifactSchema:
    """What an artifact says of itself.

    Attributes:
        kind: Such as "manifest" or "run-results"; "" where it does not say.
        version: Of its schema, such as 12; 0 where it does not say.
        dbt_version: Such as "1.10.1", or "".
        metadata: All of it.
    """

    kind: str = ""
    version: int = 0
    dbt_version: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, metadata: object, kind: str) -> Self:
        """Read the `metadata` of an artifact; versions that are not known yet are taken as they come.

        Raises:
            InvalidArtifact: If it says that it is something else than `kind`.
        """
        data = as_mapping(metadata)
        named = re.search(r"/([a-z-]+)/v(\d{1,9})\.json$", as_text(data.get("dbt_schema_version")))
        if named and named[1] != kind:
            raise InvalidArtifact(kind, f"Its metadata names it {named[1]} v{named[2]}")
        version = int(named[2]) if named else 0
        return cls(kind if named else "", version, as_text(data.get("dbt_version")), data)
