"""What the Discovery API says about models, tests, sources and metrics, and how they depend on each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from dbtcloud.client.data_fields import DataField
from dbtcloud.client.models import Json
from dbtcloud.client.typed_json import TypedFields


@dataclass(frozen=True)
class NodeMetadata:
    """A node of a dbt project.

    Attributes:
        unique_id: Such as "model.shop.orders".
        name: Such as "orders".
        data: The fields that the query asks for, as dbt Cloud sent them.
    """

    unique_id: str
    name: str
    data: Json = field(repr=False, compare=False)

    @classmethod
    def parse(cls, data: Json) -> Self:
        """Parse a node from the API's JSON.

        Raises:
            MalformedResponse: If it has no unique id.
        """
        fields = TypedFields(data, "a node")
        return cls(fields.required_text("uniqueId"), fields.text("name") or "", data)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that dbt Cloud sent, as plain JSON values."""
        return dict(self.data)


@dataclass(frozen=True)
class _ExecutedNode(NodeMetadata):
    """A node that runs execute.

    Attributes:
        status: The status of its last run, such as "success" or "error"; None before the first.
        error: The message of its last run, if it failed.
        seconds: How long its last successful run took.
        completed_at: When that run ended.
        run_id: The last run that executed it.
        job_id: The job of that run.
    """

    resource_type = DataField(str, "resourceType")
    description = DataField(str)
    tags = DataField(list[str])
    status = DataField(str, "executionInfo.lastRunStatus")
    error = DataField(str, "executionInfo.lastRunError")
    seconds = DataField(float, "executionInfo.executionTime")
    completed_at = DataField(datetime, "executionInfo.executeCompletedAt")
    run_id = DataField(int, "executionInfo.lastRunId")
    job_id = DataField(int, "executionInfo.lastJobDefinitionId")


@dataclass(frozen=True)
class ModelMetadata(_ExecutedNode):
    """A model in the state in which an environment has it."""

    database = DataField(str)
    schema = DataField(str)
    alias = DataField(str)
    package_name = DataField(str, "packageName")
    materialized = DataField(str, "materializedType")
    access = DataField(str)
    group = DataField(str)


@dataclass(frozen=True)
class TestMetadata(_ExecutedNode):
    """A test in the state in which an environment has it."""

    __test__ = False  # for pytest, which takes names that begin with Test for tests

    column_name = DataField(str, "columnName")
    test_type = DataField(str, "testType")


@dataclass(frozen=True)
class SourceFreshness(NodeMetadata):
    """The freshness of a source.

    Attributes:
        status: "Pass", "Warn" or "Error"; None if it has not been checked.
        max_loaded_at: When its newest row was loaded.
        age_seconds: How old that row was at the check.
        snapshotted_at: When it was checked.
    """

    source_name = DataField(str, "sourceName")
    identifier = DataField(str)
    schema = DataField(str)
    database = DataField(str)
    status = DataField(str, "freshness.freshnessStatus")
    max_loaded_at = DataField(datetime, "freshness.maxLoadedAt")
    age_seconds = DataField(float, "freshness.maxLoadedAtTimeAgoInS")
    snapshotted_at = DataField(datetime, "freshness.snapshottedAt")


@dataclass(frozen=True)
class MetricMetadata(NodeMetadata):
    """A metric as the project defines it."""

    label = DataField(str)
    description = DataField(str)
    type = DataField(str)
    formula = DataField(str)
    package_name = DataField(str, "packageName")
    tags = DataField(list[str])


@dataclass(frozen=True)
class LineageNode(NodeMetadata):
    """A node of a lineage.

    Attributes:
        parent_ids: The unique ids of the nodes that it depends on.
    """

    resource_type = DataField(str, "resourceType")
    schema = DataField(str)
    database = DataField(str)
    alias = DataField(str)
    status = DataField(str, "lastRunStatus")

    @property
    def parent_ids(self) -> tuple[str, ...]:
        """The unique ids of the nodes that it depends on."""
        found = self.data.get("parentIds")
        return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


@dataclass(frozen=True)
class Lineage:
    """Nodes and what depends on what.

    Attributes:
        nodes: The nodes by unique id, in dbt Cloud's order.
    """

    nodes: Mapping[str, LineageNode]

    @classmethod
    def of(cls, nodes: Iterable[LineageNode]) -> Self:
        """Return the lineage of some nodes."""
        return cls({node.unique_id: node for node in nodes})

    @property
    def edges(self) -> list[tuple[str, str]]:
        """Pairs of parent and child by unique id, of nodes that are both in the lineage."""
        return [
            (parent, node.unique_id)
            for node in self.nodes.values()
            for parent in node.parent_ids
            if parent in self.nodes
        ]

    def parents(self, unique_id: str) -> list[LineageNode]:
        """Return the nodes that a node depends on directly."""
        return [self.nodes[each] for each in self._parents.get(unique_id, ())]

    def children(self, unique_id: str) -> list[LineageNode]:
        """Return the nodes that depend directly on a node."""
        return [self.nodes[each] for each in self._children.get(unique_id, ())]

    def ancestors(self, unique_id: str) -> list[LineageNode]:
        """Return the nodes that a node depends on, also through others; the nearest first."""
        return self._reachable(unique_id, self._parents)

    def descendants(self, unique_id: str) -> list[LineageNode]:
        """Return the nodes that depend on a node, also through others; the nearest first."""
        return self._reachable(unique_id, self._children)

    @cached_property
    def _parents(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for parent, child in self.edges:
            found.setdefault(child, []).append(parent)
        return found

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for parent, child in self.edges:
            found.setdefault(parent, []).append(child)
        return found

    def _reachable(self, unique_id: str, neighbours: Mapping[str, list[str]]) -> list[LineageNode]:
        seen: dict[str, None] = {}
        waiting = list(neighbours.get(unique_id, ()))
        for each in waiting:  # grows while it is read
            if each not in seen and each != unique_id:
                seen[each] = None
                waiting += neighbours.get(each, ())
        return [self.nodes[each] for each in seen]
