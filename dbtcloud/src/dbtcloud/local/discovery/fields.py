"""The vocabulary of nodes: for every field of every node type, how it is read off the node."""

from collections.abc import Callable, Mapping
from typing import Any

from dbtcloud.local.discovery import catalogs, executions
from dbtcloud.local.discovery.declared import PARTS, UNIT_TEST, parts, unit_test
from dbtcloud.local.discovery.nodes import Node
from dbtcloud.local.discovery.paging import cursor
from dbtcloud.local.discovery.traits import check_type, identifier, modeling_layer, tags
from dbtcloud.local.discovery.views import View

Field = Callable[..., Any]
"""Takes the view, and the field's arguments by name."""


def _entry(*keys: str) -> Field:
    """Read an entry of the manifest, under the first of the keys that it has."""

    def read(view: View) -> Any:
        return next((view.node.body[key] for key in keys if view.node.body.get(key) is not None), None)

    return read


def _fact(name: str) -> Field:
    return lambda view: getattr(view.node.facts, name)


def _config(name: str) -> Field:
    return lambda view: view.node.config.get(name)


def _run(name: str) -> Field:
    return lambda view: executions.run_info(view.node.last).get(name)


def _many(name: str, otherwise: Any = ()) -> Field:
    return lambda view: view.node.body.get(name) or otherwise


def _compiled(view: View) -> str | None:
    last = view.node.success or view.node.last
    compiled: str | None = (last.body.get("compiled_code") if last else None) or view.node.body.get(
        "compiled_code"
    )
    return compiled


def _ancestors(view: View, types: list[str] | None = None) -> list[View]:
    ancestors = view.state.ancestors(view.node)
    return view.beside([node for node in ancestors if types is None or node.kind in types])


def _relatives(name: str, kind: str | None = None) -> Field:
    def read(view: View) -> list[View]:
        found: list[Node] = getattr(view.state, name)(view.node)
        return view.beside([node for node in found if kind in (None, node.kind)])

    return read


def _test_metadata(view: View) -> dict[str, Any]:
    metadata = view.node.body.get("test_metadata") or {}
    return {
        "name": metadata.get("name"),
        "namespace": metadata.get("namespace"),
        "columnName": view.node.body.get("column_name"),
        "kwargs": metadata.get("kwargs"),
    }


def _release(view: View) -> str:
    version, latest = view.node.body.get("version"), view.node.body.get("latest_version")
    if version is None or latest is None:
        return "none"
    if version == latest:
        return "latest"
    older = version < latest if isinstance(version, type(latest)) else str(version) < str(latest)
    return "old" if older else "prerelease"


def _owner(name: str) -> Field:
    return lambda view: (view.node.body.get("owner") or {}).get(name)


def _text(read: Field) -> Field:
    def written(view: View) -> str | None:
        value = read(view)
        return None if value is None else str(value)

    return written


def _packages(view: View) -> list[str]:
    macros = (view.node.body.get("depends_on") or {}).get("macros") or ()
    return sorted({name.split(".")[1] for name in macros if name.count(".") > 1})


def _worst_freshness(view: View) -> str:
    found = {
        executions.freshness_status(node) for node in view.state.ancestors(view.node) if node.kind == "Source"
    }
    return next((status for status in ("Error", "Warn", "Pass") if status in found), "Unknown")


def _members(view: View) -> list[View]:
    models = view.state.of_kind({"Model"})
    return view.beside([node for node in models if node.config.get("group") == view.node.body.get("name")])


def _macros(view: View) -> list[View]:
    names = (view.node.body.get("depends_on") or {}).get("macros") or ()
    return view.beside([view.state.nodes[name] for name in names if name in view.state.nodes])


def _type(view: View) -> str | None:
    """What kind of metric it is, or what kind of table."""
    kind: str | None = (
        view.node.body.get("type") if view.node.kind == "Metric" else catalogs.table(view.node)["type"]
    )
    return kind


def _state(view: View) -> str | None:
    if view.node.last is None:
        return None
    return executions.freshness_status(view.node) if view.node.kind == "Source" else view.node.last.status


FIELDS: Mapping[str, Field] = {
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
        name: _run(name)
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
    "identifier": lambda view: identifier(view.node),
    "primaryKey": _text(_config("unique_key")),
    "filePath": lambda view: view.node.body.get("original_file_path") or view.node.body.get("path") or "",
    "meta": lambda view: view.node.body.get("meta") or view.node.config.get("meta") or {},
    "tags": lambda view: tags(view.node),
    "fqn": _many("fqn"),
    "config": lambda view: dict(view.node.config),
    "access": lambda view: view.node.body.get("access") or view.node.config.get("access"),
    "group": lambda view: view.node.body.get("group") or view.node.config.get("group"),
    "dbtGroup": lambda view: view.node.body.get("group") or view.node.config.get("group"),
    "language": lambda view: view.node.body.get("language") or "sql",
    "version": _text(_entry("version")),
    "latestVersion": _text(_entry("latest_version")),
    "releaseVersion": _release,
    "contractEnforced": lambda view: bool((view.node.body.get("contract") or {}).get("enforced")),
    **{name: (lambda view, name=name: parts(view.node, name)) for name in PARTS},
    **{name: (lambda view, name=name: unit_test(view.node)[name]) for name in UNIT_TEST},
    # Only dbt Cloud lets descriptions be inherited; dbt Core's artifacts have only their own.
    "isDescriptionInherited": lambda _: False,
    "relationName": _entry("relation_name"),
    "manifestGeneratedAt": lambda view: executions.moment(view.node.facts.generated_at),
    "lastKnownResult": lambda view: view.node.last and view.node.last.status,
    "materializedType": _config("materialized"),
    "modelingLayer": lambda view: modeling_layer(view.node),
    "packages": _packages,
    "compiledCode": _compiled,
    "compiledSql": _compiled,
    "executionInfo": lambda view: executions.execution_info(view.node),
    "snapshotExecutionInfo": lambda view: executions.execution_info(view.node),
    "runGeneratedAt": lambda view: executions.moment((view.node.last or view.node).facts.generated_at),
    "runResults": lambda view: [executions.run_info(result) for result in view.node.history],
    "freshness": lambda view: executions.freshness(view.node),
    "freshnessStatus": _worst_freshness,
    "freshnessChecked": lambda view: view.node.last is not None,
    "criteria": lambda view: executions.criteria(view.node),
    "catalog": lambda view: catalogs.catalog(view.node),
    "columns": lambda view: catalogs.columns(view.node),
    "stats": lambda view: catalogs.stats(view.node),
    **{name: (lambda view, name=name: catalogs.table(view.node)[name]) for name in ("owner", "comment")},
    **{
        name: (lambda view, name=name: executions.freshness(view.node)[name])
        for name in ("maxLoadedAt", "maxLoadedAtTimeAgoInS", "snapshottedAt")
    },
    "testType": lambda view: check_type(view.node),
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
    "paginationCursor": lambda view: cursor(view.node.unique_id),
}
"""GraphQL field -> how it is read off a `View`."""
