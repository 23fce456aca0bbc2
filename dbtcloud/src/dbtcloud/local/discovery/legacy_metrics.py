"""The metrics of a job's run in the form of the former query `metrics(jobId:)`.

Clients of 2022 and 2023 ask for them, such as prefect-dbt's documentation. Metrics were then defined on a
model; today a metric names a measure of a semantic model. A field that has no counterpart today is null or
empty. Whether dbt Cloud itself still answers this query is unverified.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from dbtcloud.local.discovery.nodes import Json
from dbtcloud.local.discovery.run_artifacts import ParsedArtifacts

_REFERENCE = re.compile(r"""ref\(\s*['"](?:[^'"]*['"]\s*,\s*['"])?([^'"]+)['"]""")


def legacy_metrics(artifacts: ParsedArtifacts) -> list[dict[str, Any]]:
    """Return the metrics of a run in the order of their unique ids."""
    bodies = artifacts.bodies
    names = sorted(name for name, body in bodies.items() if body["resource_type"] == "metric")
    return [_legacy_metric(bodies[name], artifacts) for name in names]


def _legacy_metric(body: Json, artifacts: ParsedArtifacts) -> dict[str, Any]:
    semantic_model, measure = _measure_of(body, artifacts.bodies)
    return {
        "uniqueId": body["unique_id"],
        "name": body.get("name"),
        "packageName": body.get("package_name"),
        "tags": _texts(body.get("tags") or _config(body).get("tags")),
        "label": body.get("label"),
        "runId": artifacts.facts.run_id,
        "description": body.get("description") or "",
        "type": body.get("calculation_method") or measure.get("agg") or body.get("type"),
        "sql": body.get("expression") or body.get("sql") or measure.get("expr") or measure.get("name"),
        "timestamp": body.get("timestamp") or _time_dimension(semantic_model, measure),
        "timeGrains": _texts(body.get("time_grains")) or _granularities(semantic_model),
        "dimensions": _texts(body.get("dimensions")) or _categories(semantic_model),
        "meta": body.get("meta") or _config(body).get("meta") or {},
        "resourceType": "metric",
        "filters": _filters(body),
        "model": _model_of(body, semantic_model, artifacts.bodies),
    }


def _config(body: Json) -> Json:
    return _object(body.get("config"))


def _measure_of(body: Json, bodies: Mapping[str, Json]) -> tuple[Json, Json]:
    """Return the semantic model and the measure that a metric names, each empty if it names none."""
    wanted = _object(_object(body.get("type_params")).get("measure")).get("name")
    for name in _parents(body):
        semantic_model = bodies.get(name) or {}
        for measure in _objects(semantic_model.get("measures")):
            if wanted is not None and measure.get("name") == wanted:
                return semantic_model, measure
    return {}, {}


def _time_dimension(semantic_model: Json, measure: Json) -> Any:
    return measure.get("agg_time_dimension") or _object(semantic_model.get("defaults")).get(
        "agg_time_dimension"
    )


def _granularities(semantic_model: Json) -> list[str]:
    times = (each for each in _objects(semantic_model.get("dimensions")) if each.get("type") == "time")
    found = (_object(each.get("type_params")).get("time_granularity") for each in times)
    return _texts(dict.fromkeys(filter(None, found)))


def _categories(semantic_model: Json) -> list[str]:
    dimensions = _objects(semantic_model.get("dimensions"))
    return _texts(each.get("name") for each in dimensions if each.get("type") == "categorical")


def _filters(body: Json) -> list[dict[str, Any]]:
    names = ("field", "operator", "value")
    return [{name: each.get(name) for name in names} for each in _objects(body.get("filters"))]


def _model_of(body: Json, semantic_model: Json, bodies: Mapping[str, Json]) -> dict[str, Any] | None:
    for name in (*_parents(body), *_parents(semantic_model)):
        parent = bodies.get(name) or {}
        if parent.get("resource_type") == "model":
            return {"name": parent.get("name")}
    reference = _REFERENCE.search(str(body.get("model") or ""))
    return {"name": reference[1]} if reference else None


def _parents(body: Json) -> list[str]:
    return _texts(_object(body.get("depends_on")).get("nodes"))


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(values: Any) -> list[str]:
    listed = values if isinstance(values, Iterable) and not isinstance(values, str) else ()
    return [each for each in listed if isinstance(each, str)]
