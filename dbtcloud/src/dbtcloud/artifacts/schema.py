"""The kind and version of an artifact, as its `metadata` says."""

from __future__ import annotations

import copyreg
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from dbtcloud.artifacts.json_values import Fields

# By the names of their schemas (https://schemas.getdbt.com).
_FILES = {
    "manifest": "manifest.json",
    "run-results": "run_results.json",
    "catalog": "catalog.json",
    "sources": "sources.json",
}
_ALSO_READ = {"sources": "freshness"}  # by a kind, another one that has the same fields


class InvalidArtifact(ValueError):
    """A file is damaged, or is not the artifact that it should be.

    Attributes:
        kind: The expected artifact, such as "manifest".
    """

    def __init__(self, kind: str, why: str) -> None:
        self.kind = kind
        file = _FILES[kind]
        super().__init__(
            f"This is not a valid {file}. {why.rstrip('.')}. Use {file} as dbt wrote it to its target folder."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # By default, unpickling calls `__init__` with the message alone.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class ArtifactSchema:
    """The kind and version of an artifact.

    Attributes:
        kind: Its kind, such as "manifest" or "run-results", or "" if it has no schema.
        version: The version of its schema, such as 12, or 0 if it has no schema.
        dbt_version: The version of dbt that wrote it, such as "1.10.1", or "".
        metadata: The whole `metadata`.
    """

    kind: str = ""
    version: int = 0
    dbt_version: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, metadata: object, kind: str) -> Self:
        """Parse the `metadata` of an artifact of any version.

        Raises:
            InvalidArtifact: If it names another kind than `kind`.
        """
        data = Fields(metadata)
        named = re.search(r"/([a-z-]+)/v(\d{1,9})\.json$", data.text("dbt_schema_version"))
        if named and named[1] not in (kind, _ALSO_READ.get(kind)):
            raise InvalidArtifact(kind, f"Its metadata says {named[1]} v{named[2]}")
        version = int(named[2]) if named else 0
        return cls(named[1] if named else "", version, data.text("dbt_version"), data.raw)
