"""Reads `manifest.json`: the nodes of a dbt project and their dependencies (schemas v10 to v12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any, TypeAlias

from dbtcloud.artifacts.freshness import Freshness
from dbtcloud.artifacts.json_stream import stream_entries
from dbtcloud.artifacts.json_values import Json, as_mapping, as_text, as_texts
from dbtcloud.artifacts.manifest_entries import (
    Exposure,
    Group,
    ManifestEntry,
    ManifestNode,
    ManifestSource,
    Owner,
)
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
    found: dict[type[ManifestEntry], dict[str, Any]] = {
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
            yield _READERS[section]({**data, "unique_id": as_text(data.get("unique_id")) or key})


def _common(data: Json) -> dict[str, Any]:
    config = as_mapping(data.get("config"))
    tags = as_texts(data.get("tags")) or as_texts(config.get("tags"))
    return {
        "unique_id": data["unique_id"],
        "name": as_text(data.get("name")),
        "package": as_text(data.get("package_name")),
        "description": as_text(data.get("description")),
        "tags": tuple(dict.fromkeys(tags)),
        "meta": as_mapping(config.get("meta")) or as_mapping(data.get("meta")),
        "original_file_path": as_text(data.get("original_file_path")),
    }


def _node(data: Json) -> ManifestNode:
    config = as_mapping(data.get("config"))
    return ManifestNode(
        **_common(data),
        resource_type=as_text(data.get("resource_type")) or data["unique_id"].partition(".")[0],
        **_place(data),
        depends_on=_depends_on(data),
        compiled_path=_compiled_path(data),
        materialized=as_text(config.get("materialized")),
        group=as_text(config.get("group")) or as_text(data.get("group")) or None,
        access=as_text(data.get("access")),
        version=as_text(data.get("version")) or None,
        freshness=Freshness.parse(config.get("freshness")),
        enabled=config.get("enabled") is not False,
    )


def _source(data: Json) -> ManifestSource:
    config = as_mapping(data.get("config"))
    return ManifestSource(
        **_common(data),
        source_name=as_text(data.get("source_name")),
        **_place(data),
        identifier=as_text(data.get("identifier")) or as_text(data.get("name")),
        loader=as_text(data.get("loader")),
        loaded_at_field=as_text(data.get("loaded_at_field"))
        or as_text(config.get("loaded_at_field"))
        or None,
        freshness=Freshness.parse(data.get("freshness")) or Freshness.parse(config.get("freshness")),
    )


def _exposure(data: Json) -> Exposure:
    return Exposure(
        **_common(data),
        type=as_text(data.get("type")),
        owner=Owner.parse(data.get("owner")),
        url=as_text(data.get("url")) or None,
        label=as_text(data.get("label")),
        depends_on=_depends_on(data),
    )


def _group(data: Json) -> Group:
    return Group(**_common(data), owner=Owner.parse(data.get("owner")))


_READERS: Mapping[str, Callable[[Json], ManifestNode | ManifestSource | Exposure | Group]] = {
    "nodes": _node,
    "sources": _source,
    "exposures": _exposure,
    "groups": _group,
}


def _place(data: Json) -> dict[str, Any]:
    return {
        "database": as_text(data.get("database")),
        "schema": as_text(data.get("schema")),
        "relation_name": as_text(data.get("relation_name")) or None,
    }


def _depends_on(data: Json) -> tuple[str, ...]:
    return as_texts(as_mapping(data.get("depends_on")).get("nodes"))


def _compiled_path(data: Json) -> str | None:
    """Return the path below `target/`. dbt writes one that is relative to the project, or an absolute one."""
    path = as_text(data.get("compiled_path")).replace("\\", "/")
    package = f"{as_text(data.get('package_name'))}/"
    _, found, below = f"/{path}".rpartition(f"/compiled/{package}")
    return f"compiled/{package}{below}" if found else None
