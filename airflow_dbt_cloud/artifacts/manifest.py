"""Reads `manifest.json`: what a dbt project holds, and what depends on what (schemas v10 to v12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any, TypeAlias

from airflow_dbt_cloud.artifacts.freshness import Freshness
from airflow_dbt_cloud.artifacts.parts import parts
from airflow_dbt_cloud.artifacts.project import Entry, Exposure, Group, Json, Node, Owner, Source
from airflow_dbt_cloud.artifacts.schema import Schema

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
            yield READERS[section]({"unique_id": key, **data})


def _common(data: Json) -> dict[str, Any]:
    config = _mapping(data, "config")
    tags = data.get("tags") or config.get("tags") or ()
    return {
        "unique_id": str(data["unique_id"]),
        "name": _text(data, "name"),
        "package": _text(data, "package_name"),
        "description": _text(data, "description"),
        "tags": tuple(dict.fromkeys(map(str, [tags] if isinstance(tags, str) else tags))),
        "meta": _mapping(config, "meta") or _mapping(data, "meta"),
        "original_file_path": _text(data, "original_file_path"),
    }


def _node(data: Json) -> Node:
    config = _mapping(data, "config")
    version = data.get("version")
    return Node(
        **_common(data),
        resource_type=_text(data, "resource_type") or str(data["unique_id"]).partition(".")[0],
        database=_text(data, "database"),
        schema=_text(data, "schema"),
        relation_name=data.get("relation_name"),
        depends_on=_depends_on(data),
        compiled_path=_compiled_path(data),
        materialized=_text(config, "materialized"),
        group=config.get("group") or data.get("group"),
        access=_text(data, "access"),
        version=None if version is None else str(version),
        freshness=Freshness.parse(config.get("freshness")),
        enabled=config.get("enabled") is not False,
    )


def _source(data: Json) -> Source:
    config = _mapping(data, "config")
    return Source(
        **_common(data),
        source_name=_text(data, "source_name"),
        database=_text(data, "database"),
        schema=_text(data, "schema"),
        identifier=_text(data, "identifier") or _text(data, "name"),
        relation_name=data.get("relation_name"),
        loader=_text(data, "loader"),
        loaded_at_field=data.get("loaded_at_field") or config.get("loaded_at_field"),
        freshness=Freshness.parse(data.get("freshness")) or Freshness.parse(config.get("freshness")),
    )


def _exposure(data: Json) -> Exposure:
    return Exposure(
        **_common(data),
        type=_text(data, "type"),
        owner=Owner.parse(data.get("owner")),
        url=data.get("url"),
        label=_text(data, "label"),
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


def _depends_on(data: Json) -> tuple[str, ...]:
    return tuple(map(str, _mapping(data, "depends_on").get("nodes") or ()))


def _compiled_path(data: Json) -> str | None:
    """The path below `target/`, from one that begins at the project or at the root of the disk."""
    place = str(data.get("compiled_path") or "").replace("\\", "/")
    package = f"{_text(data, 'package_name')}/"
    _, found, below = f"/{place}".rpartition(f"/compiled/{package}")
    return f"compiled/{package}{below}" if found else None


def _mapping(data: Json, name: str) -> Json:
    value = data.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(data: Json, name: str) -> str:
    return str(data.get(name) or "")
