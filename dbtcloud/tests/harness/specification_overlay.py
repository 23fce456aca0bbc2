"""dbt Cloud's published specification, laid over with what is known of it so that answers can be held to it.

As published nothing in it may be null, only 200 is an answer, lists in queries are repeated parameters, and
formats are those of the generator rather than of the answers.
"""

from typing import Any

from local_coverage import nameless, served

# In the answers that the documentation shows (docs/deploy/webhooks), these ids are texts.
_DOCUMENTED_OTHERWISE = {
    "Subscription": {
        "account_id": {"type": "string"},
        "job_ids": {"type": "array", "items": {"type": "string"}},
    }
}


def overlaid(specification: dict[str, Any], ids: dict[str, list[Any]]) -> dict[str, Any]:
    """Return the specification of the GETs that are served, asked for what is there and for what is not.

    Args:
        specification: as published.
        ids: the values of each path parameter; those of `id` stand under the path's part before it.
    """
    here = served()
    paths = {
        path: {"get": _get(path, methods["get"], ids)}
        for path, methods in specification["paths"].items()
        if ("GET", nameless(path)) in here
    }
    schemas = _loosened(specification["components"]["schemas"])
    for name, properties in _DOCUMENTED_OTHERWISE.items():
        schemas.get(name, {}).get("properties", {}).update(properties)
    components = {**specification["components"], "schemas": schemas}
    return {**specification, "components": components, "paths": paths, "servers": []}


def _get(path: str, operation: dict[str, Any], ids: dict[str, list[Any]]) -> dict[str, Any]:
    parameters = [_parameter(path, each, ids) for each in operation.get("parameters", [])]
    refusals = {
        str(code): {"description": "", "content": {"application/json": {}}} for code in (400, 401, 404)
    }
    return {
        **operation,
        "parameters": parameters,
        "responses": {**_loosened(operation["responses"]), **refusals},
    }


def _parameter(path: str, parameter: dict[str, Any], ids: dict[str, list[Any]]) -> dict[str, Any]:
    if parameter["in"] == "path":
        kind = path.rstrip("/").split("/")[-2] if parameter["name"] == "id" else parameter["name"]
        return {**parameter, "schema": {"enum": ids[kind]}}
    if parameter["schema"].get("type") != "array":
        return parameter
    # A list is one JSON array (apache/airflow#40047).
    rest = {name: value for name, value in parameter.items() if name != "schema"}
    return {**rest, "content": {"application/json": {"schema": parameter["schema"]}}}


def _loosened(node: Any) -> Any:
    """Let every value be null, and every string have any form."""
    if isinstance(node, list):
        return [_loosened(each) for each in node]
    if not isinstance(node, dict):
        return node
    loose = {name: _loosened(value) for name, value in node.items()}
    if isinstance(node.get("type"), str):
        loose.pop("format", None)
        loose["nullable"] = True
        if isinstance(node.get("enum"), list):
            loose["enum"] = [*node["enum"], None]
    if isinstance(node.get("properties"), dict):
        loose["properties"] = {name: _nullable(name, schema) for name, schema in loose["properties"].items()}
    return loose


def _nullable(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a property that may be null also where it refers to another schema; connections are DuckDB's."""
    if name == "connection":
        return {}
    refers = "$ref" in schema or "allOf" in schema
    return {"anyOf": [schema, {"enum": [None], "nullable": True}]} if refers else schema
