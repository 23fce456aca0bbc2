"""The resolvers of all fields of all node types."""

from collections.abc import Callable, Mapping
from typing import Any

from dbtcloud.local.discovery.node_fields import (
    LIST_FIELDS,
    UNIT_TEST_FIELDS,
    NodeFields,
    javascript_time,
)
from dbtcloud.local.discovery.nodes import DiscoveryNode
from dbtcloud.local.discovery.project_state import NodeInState

# Takes the node in its state, and the arguments of the GraphQL field by name.
_FieldResolver = Callable[..., Any]


def _entry(key: str) -> _FieldResolver:
    """Return a resolver that reads a key of the manifest entry."""
    return lambda view: view.node.body.get(key)


def _fact(name: str) -> _FieldResolver:
    return lambda view: getattr(view.node.facts, name)


def _config(name: str) -> _FieldResolver:
    return lambda view: view.node.config.get(name)


def _last_result(name: str) -> _FieldResolver:
    return lambda view: NodeFields(view.node).last_result().get(name)


def _compiled(view: NodeInState) -> str | None:
    last = view.node.success or view.node.last
    compiled: str | None = (last.body.get("compiled_code") if last else None) or view.node.body.get(
        "compiled_code"
    )
    return compiled


def _ancestors(view: NodeInState, types: list[str] | None = None) -> list[NodeInState]:
    ancestors = view.state.ancestors(view.node)
    return view.related([node for node in ancestors if types is None or node.kind in types])


def _relatives(name: str, kind: str | None = None) -> _FieldResolver:
    """Return a resolver of the nodes that a method of `ProjectState` returns, all or those of one kind."""

    def read(view: NodeInState) -> list[NodeInState]:
        found: list[DiscoveryNode] = getattr(view.state, name)(view.node)
        return view.related([node for node in found if kind in (None, node.kind)])

    return read


def _test_metadata(view: NodeInState) -> dict[str, Any]:
    metadata = view.node.body.get("test_metadata") or {}
    return {
        "name": metadata.get("name"),
        "namespace": metadata.get("namespace"),
        "columnName": view.node.body.get("column_name"),
        "kwargs": metadata.get("kwargs"),
    }


def _release(view: NodeInState) -> str:
    version, latest = view.node.body.get("version"), view.node.body.get("latest_version")
    if version is None or latest is None:
        return "none"
    if version == latest:
        return "latest"
    # A version is a number or a text. A number and a text are compared as texts.
    older = version < latest if isinstance(version, type(latest)) else str(version) < str(latest)
    return "old" if older else "prerelease"


def _owner(name: str) -> _FieldResolver:
    return lambda view: (view.node.body.get("owner") or {}).get(name)


def _text(read: _FieldResolver) -> _FieldResolver:
    """Return a resolver that writes the value of another one as text."""

    def written(view: NodeInState) -> str | None:
        value = read(view)
        return None if value is None else str(value)

    return written


def _packages(view: NodeInState) -> list[str]:
    macros = (view.node.body.get("depends_on") or {}).get("macros") or ()
    return sorted({name.split(".")[1] for name in macros if name.count(".") > 1})


def _worst_freshness(view: NodeInState) -> str:
    found = {
        NodeFields(node).freshness_status()
        for node in view.state.ancestors(view.node)
        if node.kind == "Source"
    }
    return next((status for status in ("Error", "Warn", "Pass") if status in found), "Unknown")


def _members(view: NodeInState) -> list[NodeInState]:
    models = view.state.of_kind({"Model"})
    return view.related([node for node in models if node.config.get("group") == view.node.body.get("name")])


def _macros(view: NodeInState) -> list[NodeInState]:
    names = (view.node.body.get("depends_on") or {}).get("macros") or ()
    return view.related([view.state.nodes[name] for name in names if name in view.state.nodes])


def _type(view: NodeInState) -> str | None:
    """Return the type of a metric, or the type of a table."""
    kind: str | None = (
        view.node.body.get("type")
        if view.node.kind == "Metric"
        else NodeFields(view.node).table_metadata()["type"]
    )
    return kind


def _state(view: NodeInState) -> str | None:
    if view.node.last is None:
        return None
    return NodeFields(view.node).freshness_status() if view.node.kind == "Source" else view.node.last.status


FIELD_RESOLVERS: Mapping[str, _FieldResolver] = {
    **{
        name: _entry(key)
        for name, key in {
            "uniqueId": "unique_id",
            "resourceType": "resource_type",
            "name": "name",
            "label": "label",
            "description": "description",
            "database": "database",
            "schema": "schema",
            "packageName": "package_name",
            "patchPath": "patch_path",
            "path": "path",
            "rawCode": "raw_code",
            "rawSql": "raw_code",
            "columnName": "column_name",
            "sourceName": "source_name",
            "sourceDescription": "source_description",
            "loader": "loader",
            "macroSql": "macro_sql",
            "deprecationDate": "deprecation_date",
            "url": "url",
            "maturity": "maturity",
            "exposureType": "type",
            "typeParams": "type_params",
            "formula": "formula",
            "filter": "filter",
        }.items()
    },
    **{
        name: _fact(key)
        for name, key in {
            "accountId": "account_id",
            "projectId": "project_id",
            "environmentId": "environment_id",
            "runId": "run_id",
            "jobId": "job_id",
            "jobDefinitionId": "job_id",
            "dbtVersion": "dbt_version",
        }.items()
    },
    **{
        name: _last_result(name)
        for name in (
            *("status", "error", "skip", "fail", "warn", "threadId", "thread_id", "invocationId"),
            *("compileStartedAt", "compileCompletedAt", "executeStartedAt", "executeCompletedAt"),
            *("executionTime", "runElapsedTime"),
        )
    },
    **{
        name: _config(key)
        for name, key in {
            "targetDatabase": "target_database",
            "targetSchema": "target_schema",
            "strategy": "strategy",
        }.items()
    },
    "state": _state,
    "type": _type,
    "alias": lambda view: view.node.body.get("alias") or view.node.body.get("name"),
    "identifier": lambda view: view.node.table_identifier,
    "primaryKey": _text(_config("unique_key")),
    "filePath": lambda view: view.node.body.get("original_file_path") or view.node.body.get("path") or "",
    "meta": lambda view: view.node.body.get("meta") or view.node.config.get("meta") or {},
    "tags": lambda view: view.node.tags,
    "fqn": lambda view: view.node.body.get("fqn") or (),
    "config": lambda view: dict(view.node.config),
    "access": lambda view: view.node.body.get("access") or view.node.config.get("access"),
    "group": lambda view: view.node.body.get("group") or view.node.config.get("group"),
    "dbtGroup": lambda view: view.node.body.get("group") or view.node.config.get("group"),
    "language": lambda view: view.node.body.get("language") or "sql",
    "version": _text(_entry("version")),
    "latestVersion": _text(_entry("latest_version")),
    "releaseVersion": _release,
    "contractEnforced": lambda view: bool((view.node.body.get("contract") or {}).get("enforced")),
    **{name: (lambda view, name=name: NodeFields(view.node).list_entries(name)) for name in LIST_FIELDS},
    **{name: (lambda view, name=name: NodeFields(view.node).unit_test()[name]) for name in UNIT_TEST_FIELDS},
    # Only dbt Cloud inherits descriptions. The artifacts of dbt Core have their own only.
    "isDescriptionInherited": lambda _: False,
    "relationName": _entry("relation_name"),
    "manifestGeneratedAt": lambda view: javascript_time(view.node.facts.generated_at),
    "lastKnownResult": lambda view: view.node.last and view.node.last.status,
    "materializedType": _config("materialized"),
    "modelingLayer": lambda view: view.node.modeling_layer,
    "packages": _packages,
    "compiledCode": _compiled,
    "compiledSql": _compiled,
    "executionInfo": lambda view: NodeFields(view.node).execution_info(),
    "snapshotExecutionInfo": lambda view: NodeFields(view.node).execution_info(),
    "runGeneratedAt": lambda view: javascript_time((view.node.last or view.node).facts.generated_at),
    "runResults": lambda view: NodeFields(view.node).run_results(),
    "freshness": lambda view: NodeFields(view.node).freshness(),
    "freshnessStatus": _worst_freshness,
    "freshnessChecked": lambda view: view.node.last is not None,
    "criteria": lambda view: NodeFields(view.node).criteria(),
    "catalog": lambda view: NodeFields(view.node).catalog(),
    "columns": lambda view: NodeFields(view.node).columns(),
    "stats": lambda view: NodeFields(view.node).stats(),
    **{
        name: (lambda view, name=name: NodeFields(view.node).table_metadata()[name])
        for name in ("owner", "comment")
    },
    **{
        name: (lambda view, name=name: NodeFields(view.node).freshness()[name])
        for name in ("maxLoadedAt", "maxLoadedAtTimeAgoInS", "snapshottedAt")
    },
    "testType": lambda view: view.node.test_type,
    "testMetadata": _test_metadata,
    "testedNodeUniqueId": lambda view: view.node.body.get("attached_node"),
    "testStatuses": lambda view: {
        test.unique_id: test.last.status for test in view.state.tests(view.node) if test.last
    },
    "dependsOn": lambda view: list((view.node.body.get("depends_on") or {}).get("nodes") or ()),
    "dependsOnMacros": _macros,
    "childrenL1": lambda view: [child.unique_id for child in view.state.children(view.node)],
    "parents": _relatives("parents"),
    "parentsModels": _relatives("parents", "Model"),
    "parentsSources": _relatives("parents", "Source"),
    "children": _relatives("children"),
    "tests": _relatives("tests"),
    "models": _members,
    "ancestors": _ancestors,
    "ownerName": _owner("name"),
    "ownerEmail": _owner("email"),
    "paginationCursor": lambda view: view.node.cursor,
}
"""GraphQL field -> the function that reads it from a `NodeInState`."""
