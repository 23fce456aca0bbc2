"""The metadata of models, tests, sources and metrics (Discovery API)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from dbtcloud.client import discovery
from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.protocol import Call, Id, identifier
from dbtcloud.client.typed_json import TypedFields
from dbtcloud.resources.base.faces import F, Resource, Stream, operation, stream
from dbtcloud.resources.base.pages import check_limit
from dbtcloud.resources.discovery_nodes import (
    Lineage,
    LineageNode,
    MetricMetadata,
    ModelMetadata,
    NodeMetadata,
    SourceFreshness,
    TestMetadata,
)

_Node = TypeVar("_Node", bound=NodeMetadata)

_PAGE_SIZE = 500
_EXECUTION = """executionInfo { lastRunStatus lastRunError executionTime executeCompletedAt lastRunId
  lastJobDefinitionId }"""
_MODEL = f"""uniqueId name description resourceType tags database schema alias packageName materializedType
  access group {_EXECUTION}"""
_TEST = f"uniqueId name description resourceType tags columnName testType {_EXECUTION}"
_SOURCE = """uniqueId name sourceName identifier schema database
  freshness { freshnessStatus maxLoadedAt maxLoadedAtTimeAgoInS snapshottedAt }"""
_METRIC = "uniqueId name label description type formula packageName tags"

_LINEAGE = """
query ($environment: BigInt!, $filter: LineageFilter!) {
  environment(id: $environment) {
    applied {
      lineage(filter: $filter) {
        uniqueId name resourceType database schema alias parentIds matchesMethod
        ... on LineageNodeExecutable { lastRunStatus }
      }
    }
  }
}
"""


def _list_query(name: str, fields: str, *, kind: str = "", state: str = "applied") -> str:
    """Return a query for all nodes of a list, by pages.

    Args:
        name: The list, such as "models".
        fields: The fields of each node.
        kind: The GraphQL type of the list's filter, or "" to ask for none.
        state: "applied" or "definition".
    """
    declared, given = (f", $filter: {kind}", ", filter: $filter") if kind else ("", "")
    return f"""
query ($environment: BigInt!, $first: Int, $after: String{declared}) {{
  environment(id: $environment) {{
    {state} {{
      {name}(first: $first, after: $after{given}) {{
        pageInfo {{ hasNextPage endCursor }}
        edges {{ node {{ {fields} }} }}
      }}
    }}
  }}
}}
"""


_MODELS = _list_query("models", _MODEL, kind="ModelAppliedFilter")
_TESTS = _list_query("tests", _TEST, kind="TestAppliedFilter")
_SOURCES = _list_query("sources", _SOURCE)
_METRICS = _list_query("metrics", _METRIC, state="definition")

_FAILED_TESTS = ("fail", "error")


class Discovery(Resource[F]):
    """The metadata of models, tests, sources and metrics (dbt docs: "Query the Discovery API").

    The token needs the permission set Metadata Only, or one that includes it. dbt Cloud allows 500 queries a
    minute.
    """

    @operation
    def query(self, text: str, variables: Mapping[str, Any] | None = None) -> Call[dict[str, Any]]:
        """Send a GraphQL query and return its `data`.

        Args:
            text: The query.
            variables: Its variables, by name.

        Raises:
            QueryRefused: If the answer has errors. `error.data` has the part that was answered.
            DbtCloudError: If the request fails.
        """
        return (yield from discovery.query(text, variables))

    @stream
    def paginate(
        self,
        text: str,
        connection: str,
        variables: Mapping[str, Any] | None = None,
        *,
        page_size: int = _PAGE_SIZE,
    ) -> Stream[dict[str, Any]]:
        """Read the nodes of a connection page by page, as far as you iterate over them.

        Args:
            text: A query whose connection uses the variables `$first: Int` and `$after: String`, and asks for
                `pageInfo { hasNextPage endCursor }` and `edges { node { … } }`.
            connection: The path of the connection in the answer, such as "environment.applied.models".
            variables: The query's other variables.
            page_size: Nodes of a page, at most 500.

        Raises:
            InvalidArgument: If the answer has no connection at that path, or the size cannot be used.
            QueryRefused: If the answer has errors.
        """
        pages = discovery.NodePages(text, connection, variables, _checked_size(page_size))
        while not pages.ended:
            yield pages.read_next()

    @stream
    def models(
        self,
        environment_id: Id,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 -- GraphQL's name
    ) -> Stream[ModelMetadata]:
        """Read the models of an environment, in the state of its last runs.

        Args:
            environment_id: The environment.
            filter: A filter of the API, such as `{"lastRunStatus": "error"}` or `{"schema": "marts"}`.

        Raises:
            QueryRefused: If the filter is none of the API's, or the token may not read metadata.
        """
        at = "environment.applied.models"
        yield from _read_nodes(ModelMetadata, _MODELS, at, environment_id, filter=filter)

    @operation
    def model(self, environment_id: Id, unique_id: str) -> Call[ModelMetadata | None]:
        """Get one model of an environment, or None if it has no such model.

        Args:
            environment_id: The environment.
            unique_id: The model, such as "model.shop.orders".

        Raises:
            QueryRefused: If the token may not read metadata.
        """
        variables = {"environment": _environment(environment_id), "filter": {"uniqueIds": [unique_id]}}
        nodes = yield from discovery.nodes(_MODELS, "environment.applied.models", variables, page_size=1)
        return next((ModelMetadata.parse(node) for node in nodes if node.get("uniqueId") == unique_id), None)

    @operation
    def lineage(
        self,
        environment_id: Id,
        *,
        select: str | None = None,
        exclude: str | None = None,
        types: Iterable[str] | None = None,
    ) -> Call[Lineage]:
        """Get the nodes of an environment and what depends on what.

        Args:
            environment_id: The environment.
            select: A selection in dbt's syntax, such as "+orders"; other nodes are left out.
            exclude: A selection of nodes to leave out.
            types: Types of nodes, such as "Model", "Source" and "Exposure"; all if None.

        Raises:
            QueryRefused: If a selection or a type cannot be used, or the token may not read metadata.
        """
        wanted = {"select": select, "exclude": exclude, "types": _names(types)}
        filters = {name: value for name, value in wanted.items() if value is not None}
        variables = {"environment": _environment(environment_id), "filter": filters}
        data = yield from discovery.query(_LINEAGE, variables)
        applied = TypedFields(data, "an answer").mapping("environment") or {}
        state = TypedFields(applied, "an environment").mapping("applied") or {}
        nodes = TypedFields(state, "a state").sequence("lineage") or []
        return Lineage.of(LineageNode.parse(node) for node in nodes if node.get("matchesMethod") is not False)

    @stream
    def source_freshness(self, environment_id: Id) -> Stream[SourceFreshness]:
        """Read the sources of an environment with the result of their last freshness check.

        Raises:
            QueryRefused: If the token may not read metadata.
        """
        yield from _read_nodes(SourceFreshness, _SOURCES, "environment.applied.sources", environment_id)

    @operation
    def slowest(self, environment_id: Id, *, limit: int = 10) -> Call[list[ModelMetadata]]:
        """Get the models of an environment whose last successful run took longest, the slowest first.

        Args:
            environment_id: The environment.
            limit: Largest number of models. Those that never ran are left out.

        Raises:
            InvalidArgument: If the limit is not a whole number from 0.
            QueryRefused: If the token may not read metadata.
        """
        check_limit(limit)
        variables = {"environment": _environment(environment_id)}
        nodes = yield from discovery.nodes(_MODELS, "environment.applied.models", variables)
        timed = [model for model in map(ModelMetadata.parse, nodes) if model.seconds is not None]
        return sorted(timed, key=lambda model: -(model.seconds or 0.0))[:limit]

    @operation
    def failing(self, environment_id: Id) -> Call[list[ModelMetadata | TestMetadata]]:
        """Get the models and tests of an environment whose last run failed, models first.

        Raises:
            QueryRefused: If the token may not read metadata.
        """
        environment = {"environment": _environment(environment_id)}
        failed = {**environment, "filter": {"lastRunStatus": "error"}}
        at = "environment.applied.models"
        failed_models: list[dict[str, Any]] = yield from discovery.nodes(_MODELS, at, failed)
        # The API's filter of tests takes one status.
        at = "environment.applied.tests"
        all_tests: list[dict[str, Any]] = yield from discovery.nodes(_TESTS, at, environment)
        found: list[ModelMetadata | TestMetadata] = [*map(ModelMetadata.parse, failed_models)]
        found += [test for test in map(TestMetadata.parse, all_tests) if test.status in _FAILED_TESTS]
        return found

    @stream
    def metrics(self, environment_id: Id) -> Stream[MetricMetadata]:
        """Read the metrics that the project of an environment defines.

        Raises:
            QueryRefused: If the token may not read metadata.
        """
        yield from _read_nodes(MetricMetadata, _METRICS, "environment.definition.metrics", environment_id)


def _read_nodes(
    kind: type[_Node], text: str, connection: str, environment_id: Id, **variables: object
) -> Stream[_Node]:
    """Read the nodes of a connection page by page, as objects of their kind."""
    environment = {"environment": _environment(environment_id)}
    pages = discovery.NodePages(text, connection, {**environment, **variables}, _PAGE_SIZE)

    def read_next() -> Call[list[_Node]]:
        return [kind.parse(node) for node in (yield from pages.read_next())]

    while not pages.ended:
        yield read_next()


def _names(types: Iterable[str] | None) -> list[str] | None:
    # A text is an iterable of its letters.
    return [types] if isinstance(types, str) else None if types is None else list(types)


def _environment(environment_id: Id) -> int:
    return int(identifier(environment_id, "environment id"))


def _checked_size(page_size: int) -> int:
    if isinstance(page_size, bool) or not isinstance(page_size, int) or not 1 <= page_size <= _PAGE_SIZE:
        raise InvalidArgument("The page size cannot be used", fix=f"Give a number from 1 to {_PAGE_SIZE}")
    return page_size
