"""Reads the tags of a project's nodes from `manifest.json`, in memory for the tags alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO

from dbtcloud.artifacts.json_stream import stream_entries
from dbtcloud.artifacts.json_values import Fields

_FIELDS = frozenset({"tags", "config", "attached_node", "depends_on"})


def read_node_tags(stream: IO[bytes]) -> Mapping[str, frozenset[str]]:
    """Return the tags of each node by unique id.

    A test also has the tags of the node that it is attached to, and a unit test those of its model: dbt's
    `--select tag:…` selects them with it. A singular test, which is attached to none, has only its own.

    Raises:
        InvalidArtifact: If it is not a manifest; a ValueError.
    """
    own: dict[str, frozenset[str]] = {}
    tested: dict[str, str] = {}
    sections = {"nodes": _FIELDS, "unit_tests": _FIELDS}
    for section, unique_id, data in stream_entries(stream, "manifest", sections, needed="nodes"):
        if section not in sections:
            continue
        own[unique_id] = frozenset(data.texts("tags") or data.mapping("config").texts("tags"))
        if parent := _tested_node(section, data):
            tested[unique_id] = parent
    none = frozenset[str]()
    return {unique_id: tags | own.get(tested.get(unique_id, ""), none) for unique_id, tags in own.items()}


def _tested_node(section: str, data: Fields) -> str:
    if section == "unit_tests":
        return next(iter(data.mapping("depends_on").texts("nodes")), "")
    return data.text("attached_node")
