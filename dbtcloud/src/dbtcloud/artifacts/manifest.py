"""Reads `manifest.json`: the nodes of a dbt project and their dependencies (schemas v10 to v12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any, Self, TypeAlias

from dbtcloud.artifacts.batches import Microbatch
from dbtcloud.artifacts.freshness import Freshness
from dbtcloud.artifacts.json_stream import stream_entries
from dbtcloud.artifacts.json_values import Fields, Json
from dbtcloud.artifacts.schema import ArtifactSchema

# The fields that are read. Code, columns, macros and docs are most of a manifest's bytes and are skipped.
_COMMON = frozenset(
    {"unique_id", "name", "package_name", "description", "tags", "meta", "config", "original_file_path"}
)
_RELATION = frozenset({"database", "schema", "relation_name"})
_WANTED = {
    "nodes": _COMMON
    | _RELATION
    | {"resource_type", "depends_on", "compiled_path", "group", "access", "version"},
    "sources": _COMMON | _RELATION | {"source_name", "identifier", "loader", "freshness", "loaded_at_field"},
    "exposures": _COMMON | {"type", "owner", "url", "label", "depends_on"},
    "groups": frozenset({"unique_id", "name", "owner", "description", "config", "package_name"}),
}


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of a node, a group or an exposure."""

    name: str = ""
    email: str = ""

    @classmethod
    def parse(cls, data: object) -> Self:
        """Parse `owner`. Of several email addresses the first is taken."""
        owner = Fields(data)
        return cls(owner.text("name"), next(iter(owner.texts("email")), ""))


@dataclass(frozen=True, slots=True)
class _Entry:
    """The fields that all entries of a manifest have.

    Attributes:
        unique_id: Its unique id, such as "model.shop.orders".
        name: Its name.
        package: Its package. The project's own package has the project's name.
        description: Its description, or "".
        tags: Its tags in the project's order, each once.
        meta: `config.meta`, or `meta` if that is empty.
        original_file_path: Its source file in the package, such as "models/marts/orders.sql".
    """

    unique_id: str
    name: str = ""
    package: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    meta: Json = field(default_factory=dict)
    original_file_path: str = ""


@dataclass(frozen=True, slots=True)
class ManifestNode(_Entry):
    """A model, seed, snapshot, test, analysis or operation.

    Attributes:
        resource_type: dbt's name of its type, such as "model".
        database: The database that it is built in.
        schema: The schema that it is built in.
        relation_name: The quoted name of its table or view, or None if it has none.
        depends_on: The unique ids of the nodes and sources that it depends on.
        compiled_path: The artifact with its compiled code, such as "compiled/shop/models/orders.sql".
        materialized: Its materialisation, such as "table", or "".
        group: The name of its group, or None.
        access: "private", "protected", "public", or "".
        version: The version of a versioned model as text, or None.
        freshness: The age from which it is built again, or None.
        enabled: Whether it is enabled in the project.
        microbatch: How a microbatch model is cut into batches, or None for other nodes.
    """

    resource_type: str = ""
    database: str = ""
    schema: str = ""
    relation_name: str | None = None
    depends_on: tuple[str, ...] = ()
    compiled_path: str | None = None
    materialized: str = ""
    group: str | None = None
    access: str = ""
    version: str | None = None
    freshness: Freshness | None = None
    enabled: bool = True
    microbatch: Microbatch | None = None

    @property
    def owner(self) -> str | None:
        """The text in `meta.owner`, or None."""
        owner = self.meta.get("owner")
        return owner if isinstance(owner, str) else None


@dataclass(frozen=True, slots=True)
class ManifestSource(_Entry):
    """A table that dbt reads but does not build.

    Attributes:
        source_name: The name of the source that the table belongs to.
        database: Its database.
        schema: Its schema.
        identifier: The table's name in the database.
        relation_name: Its quoted name with database and schema, or None.
        loader: The tool that loads it, as the project says, or "".
        loaded_at_field: The column with the time at which a row was loaded, or None.
        freshness: The limits for its age, or None.
    """

    source_name: str = ""
    database: str = ""
    schema: str = ""
    identifier: str = ""
    relation_name: str | None = None
    loader: str = ""
    loaded_at_field: str | None = None
    freshness: Freshness | None = None


@dataclass(frozen=True, slots=True)
class Exposure(_Entry):
    """A use of the project's models: a dashboard, an application.

    Attributes:
        type: dbt's name of its type, such as "dashboard".
        owner: Its owner.
        url: Its address, or None.
        label: Its display name, or "".
        depends_on: The unique ids of the nodes and sources that it uses.
    """

    type: str = ""
    owner: Owner = Owner()
    url: str | None = None
    label: str = ""
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group(_Entry):
    """A group of nodes with an owner."""

    owner: Owner = Owner()


ManifestPart: TypeAlias = ArtifactSchema | ManifestNode | ManifestSource | Exposure | Group


@dataclass(frozen=True)
class Manifest:
    """A manifest without code, columns, macros and docs.

    Attributes:
        schema: The manifest's kind and version. Its `metadata` has `project_name` and `adapter_type`.
        nodes: Models, seeds, snapshots, tests, analyses and operations by unique id.
        sources: Sources by unique id.
        exposures: Exposures by unique id.
        groups: Groups by name.
    """

    schema: ArtifactSchema = field(default_factory=ArtifactSchema)
    nodes: Mapping[str, ManifestNode] = field(default_factory=dict)
    sources: Mapping[str, ManifestSource] = field(default_factory=dict)
    exposures: Mapping[str, Exposure] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """The unique ids of the nodes and exposures that depend directly on each node and source."""
        found: dict[str, list[str]] = {}
        users: list[ManifestNode | Exposure] = [*self.nodes.values(), *self.exposures.values()]
        for user in users:
            for parent in user.depends_on:
                found.setdefault(parent, []).append(user.unique_id)
        return {parent: tuple(made) for parent, made in found.items()}

    def owner(self, node: ManifestNode) -> Owner:
        """Return the owner of a node: `meta.owner`, or else the owner of its group."""
        group = self.groups.get(node.group or "")
        return Owner(name=node.owner) if node.owner else group.owner if group else Owner()


def read_manifest(stream: IO[bytes]) -> Manifest:
    """Read a manifest, without code, columns, macros and docs.

    Args:
        stream: A binary stream, such as an open file or `io.BytesIO`.

    Raises:
        InvalidArtifact: If it is not a manifest.
    """
    schema = ArtifactSchema()
    found: dict[type[_Entry], dict[str, Any]] = {
        kind: {} for kind in (ManifestNode, ManifestSource, Exposure, Group)
    }
    for part in stream_manifest(stream):
        if isinstance(part, ArtifactSchema):
            schema = part
        else:
            found[type(part)][part.name if isinstance(part, Group) else part.unique_id] = part
    return Manifest(schema, *found.values())


def stream_manifest(stream: IO[bytes]) -> Iterator[ManifestPart]:
    """Yield the metadata and the entries of a manifest one at a time, in the order of the file.

    Raises:
        InvalidArtifact: If it is not a manifest. If it is damaged, only once the damage is reached.
    """
    for section, key, data in stream_entries(stream, "manifest", _WANTED, needed="nodes"):
        if section == "metadata":
            yield data
        else:
            yield _READERS[section](Fields({**data.raw, "unique_id": data.text("unique_id") or key}))


def _common(data: Fields) -> dict[str, Any]:
    config = data.mapping("config")
    tags = data.texts("tags") or config.texts("tags")
    return {
        "unique_id": data.text("unique_id"),
        "name": data.text("name"),
        "package": data.text("package_name"),
        "description": data.text("description"),
        "tags": tuple(dict.fromkeys(tags)),
        "meta": config.mapping("meta").raw or data.mapping("meta").raw,
        "original_file_path": data.text("original_file_path"),
    }


def _node(data: Fields) -> ManifestNode:
    config = data.mapping("config")
    return ManifestNode(
        **_common(data),
        resource_type=data.text("resource_type") or data.text("unique_id").partition(".")[0],
        **_place(data),
        depends_on=_depends_on(data),
        compiled_path=_compiled_path(data),
        materialized=config.text("materialized"),
        group=config.text("group") or data.text("group") or None,
        access=data.text("access"),
        version=data.text("version") or None,
        freshness=Freshness.parse(config.get("freshness")),
        enabled=config.get("enabled") is not False,
        microbatch=Microbatch.parse(config),
    )


def _source(data: Fields) -> ManifestSource:
    config = data.mapping("config")
    return ManifestSource(
        **_common(data),
        source_name=data.text("source_name"),
        **_place(data),
        identifier=data.text("identifier") or data.text("name"),
        loader=data.text("loader"),
        loaded_at_field=data.text("loaded_at_field") or config.text("loaded_at_field") or None,
        freshness=Freshness.parse(data.get("freshness")) or Freshness.parse(config.get("freshness")),
    )


def _exposure(data: Fields) -> Exposure:
    return Exposure(
        **_common(data),
        type=data.text("type"),
        owner=Owner.parse(data.get("owner")),
        url=data.text("url") or None,
        label=data.text("label"),
        depends_on=_depends_on(data),
    )


def _group(data: Fields) -> Group:
    return Group(**_common(data), owner=Owner.parse(data.get("owner")))


_READERS: Mapping[str, Callable[[Fields], ManifestNode | ManifestSource | Exposure | Group]] = {
    "nodes": _node,
    "sources": _source,
    "exposures": _exposure,
    "groups": _group,
}


def _place(data: Fields) -> dict[str, Any]:
    return {
        "database": data.text("database"),
        "schema": data.text("schema"),
        "relation_name": data.text("relation_name") or None,
    }


def _depends_on(data: Fields) -> tuple[str, ...]:
    return data.mapping("depends_on").texts("nodes")


def _compiled_path(data: Fields) -> str | None:
    """Return the path below `target/`. dbt writes one that is relative to the project, or an absolute one."""
    path = data.text("compiled_path").replace("\\", "/")
    package = f"{data.text('package_name')}/"
    _, found, below = f"/{path}".rpartition(f"/compiled/{package}")
    return f"compiled/{package}{below}" if found else None
