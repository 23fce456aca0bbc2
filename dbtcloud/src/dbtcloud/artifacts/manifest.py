"""Reads `manifest.json`: what a dbt project holds, and what depends on what (schemas v10 to v12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any, TypeAlias

from dbtcloud.artifacts.fields import Json, mapping, text, texts
from dbtcloud.artifacts.freshness import Freshness
from dbtcloud.artifacts.parts import parts
from dbtcloud.artifacts.project import Entry, Exposure, Group, Node, Owner, Source
from dbtcloud.artifacts.schema import Schema

COMMON = frozenset(
    {"unique_id", "name", "package_name", "description", "tags", "meta", "config", "original_file_path"}
)
RELATION = frozenset({"database", "schema", "relation_name"})
WANTED = {
    "nodes": COMMON
    | RELATION
    | {"resource_type", "depends_on", "compiled_path", "group", "access", "version"},
    "sources": COMMON | RELATION | {"source_name", "identifier", "loader", "freshness", "loaded_at_field"},
    "exposures": COMMON | {"type", "owner", "url", "label", "depends_on"},
    "groups": frozenset({"unique_id", "name", "owner", "description", "config", "package_name"}),
}
"""What is read of a manifest; code, columns, macros and docs are most of its bytes and passed over."""

Part: TypeAlias = Schema | Node | Source | Exposure | Group


@dataclass(frozen=True)
class Manifest:
    """What is read of a manifest; everything by its unique id, groups by their name.

    Attributes:
        schema: What the manifest says of itself; its `metadata` has `project_name` and `adapter_type`.
    """

    schema: Schema = field(default_factory=Schema)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    exposures: Mapping[str, Exposure] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Unique ids of what is made from each node and source."""
        found: dict[str, list[str]] = {}
        users: list[Node | Exposure] = [*self.nodes.values(), *self.exposures.values()]
        for user in users:
            for parent in user.depends_on:
                found.setdefault(parent, []).append(user.unique_id)
        return {parent: tuple(made) for parent, made in found.items()}

    def owner(self, node: Node) -> Owner:
        """Who answers for a node: `meta.owner`, or else the owner of its group."""
        group = self.groups.get(node.group or "")
        return Owner(name=node.owner) if node.owner else group.owner if group else Owner()


def read_manifest(stream: IO[bytes]) -> Manifest:
    """A manifest from its bytes, without code, columns, macros and docs.

    Args:
        stream: The file, opened for reading bytes: of a path, an `ObjectStoragePath`, or `io.BytesIO`.

    Raises:
        NotThatArtifact: If it is no manifest.
    """
    schema = Schema()
    found: dict[type[Entry], dict[str, Any]] = {kind: {} for kind in (Node, Source, Exposure, Group)}
    for part in stream_manifest(stream):
        if isinstance(part, Schema):
            schema = part
        else:
            found[type(part)][part.name if isinstance(part, Group) else part.unique_id] = part
    return Manifest(schema, *found.values())


def stream_manifest(stream: IO[bytes]) -> Iterator[Part]:
    """The parts of a manifest one at a time, in its order; nothing is kept of those that were taken.

    Raises:
        NotThatArtifact: If it is no manifest; for a damaged one, when the damage is come to.
    """
    for section, key, data in parts(stream, "manifest", WANTED, needed="nodes"):
        if section == "metadata":
            yield data
        else:
            yield READERS[section]({**data, "unique_id": text(data.get("unique_id")) or key})


def _common(data: Json) -> dict[str, Any]:
    config = mapping(data.get("config"))
    tags = texts(data.get("tags")) or texts(config.get("tags"))
    return {
        "unique_id": data["unique_id"],
        "name": text(data.get("name")),
        "package": text(data.get("package_name")),
        "description": text(data.get("description")),
        "tags": tuple(dict.fromkeys(tags)),
        "meta": mapping(config.get("meta")) or mapping(data.get("meta")),
        "original_file_path": text(data.get("original_file_path")),
    }


def _node(data: Json) -> Node:
    config = mapping(data.get("config"))
    return Node(
        **_common(data),
        resource_type=text(data.get("resource_type")) or data["unique_id"].partition(".")[0],
        **_place(data),
        depends_on=_depends_on(data),
        compiled_path=_compiled_path(data),
        materialized=text(config.get("materialized")),
        group=text(config.get("group")) or text(data.get("group")) or None,
        access=text(data.get("access")),
        version=text(data.get("version")) or None,
        freshness=Freshness.parse(config.get("freshness")),
        enabled=config.get("enabled") is not False,
    )


def _source(data: Json) -> Source:
    config = mapping(data.get("config"))
    return Source(
        **_common(data),
        source_name=text(data.get("source_name")),
        **_place(data),
        identifier=text(data.get("identifier")) or text(data.get("name")),
        loader=text(data.get("loader")),
        loaded_at_field=text(data.get("loaded_at_field")) or text(config.get("loaded_at_field")) or None,
        freshness=Freshness.parse(data.get("freshness")) or Freshness.parse(config.get("freshness")),
    )


def _exposure(data: Json) -> Exposure:
    return Exposure(
        **_common(data),
        type=text(data.get("type")),
        owner=Owner.parse(data.get("owner")),
        url=text(data.get("url")) or None,
        label=text(data.get("label")),
        depends_on=_depends_on(data),
    )


def _group(data: Json) -> Group:
    return Group(**_common(data), owner=Owner.parse(data.get("owner")))


READERS: Mapping[str, Callable[[Json], Node | Source | Exposure | Group]] = {
    "nodes": _node,
    "sources": _source,
    "exposures": _exposure,
    "groups": _group,
}


def _place(data: Json) -> dict[str, Any]:
    return {
        "database": text(data.get("database")),
        "schema": text(data.get("schema")),
        "relation_name": text(data.get("relation_name")) or None,
    }


def _depends_on(data: Json) -> tuple[str, ...]:
    return texts(mapping(data.get("depends_on")).get("nodes"))


def _compiled_path(data: Json) -> str | None:
    """The path below `target/`, from one that begins at the project or at the root of the disk."""
    place = text(data.get("compiled_path")).replace("\\", "/")
    package = f"{text(data.get('package_name'))}/"
    _, found, below = f"/{place}".rpartition(f"/compiled/{package}")
    return f"compiled/{package}{below}" if found else None
