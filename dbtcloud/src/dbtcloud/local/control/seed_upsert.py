"""Declared projects into a store that may hold them already: what has the same name keeps its id."""

from typing import Any

from dbtcloud.local.control.seed import seed
from dbtcloud.local.model.records import Definition, EnvironmentRecord, JobRecord, ProjectRecord
from dbtcloud.local.orchestration.cloud import Cloud

_KINDS: dict[str, type[ProjectRecord | EnvironmentRecord | JobRecord]] = {
    "projects": ProjectRecord,
    "environments": EnvironmentRecord,
    "jobs": JobRecord,
}


def adopt(cloud: Cloud, document: dict[str, Any]) -> dict[int, int]:
    """Put a document into the store, over what an earlier server of it has left.

    Args:
        cloud: the local dbt Cloud.
        document: a seed document whose entries have ids of their own, referring to each other.

    Returns:
        The store's id of each project of the document.
    """
    ids: dict[str, dict[int, int]] = {"projects": {}, "environments": {}}
    seed(cloud, {"accounts": document["accounts"]})
    for name, kind in _KINDS.items():
        for entry in document[name]:
            values = _referring(entry, ids)
            kept = _kept(cloud, kind, values, set(ids.get(name, {}).values()))
            if kept is not None:
                values |= {"id": kept.id, "created_at": kept.created_at}
            elif entry["id"] in cloud.store.definitions.ids(kind):
                values["id"] = cloud.store.definitions.next_id(kind)
            ids.setdefault(name, {})[entry["id"]] = seed(cloud, {name: [values]})[name][0]
    return ids["projects"]


def _referring(entry: dict[str, Any], ids: dict[str, dict[int, int]]) -> dict[str, Any]:
    references = {"project_id": "projects", "environment_id": "environments"}
    return {
        name: ids[references[name]][value] if name in references else value for name, value in entry.items()
    }


def _kept(
    cloud: Cloud,
    kind: type[ProjectRecord | EnvironmentRecord | JobRecord],
    values: dict[str, Any],
    placed: set[int],
) -> Definition | None:
    """What an earlier server has left of an entry; of jobs of one name, that of its environment first."""
    definitions = (cloud.store.definitions.get(kind, id_) for id_ in cloud.store.definitions.ids(kind))
    named = [
        found
        for found in definitions
        if found is not None
        and found.id not in placed
        and found.name == values["name"]
        and (isinstance(found, ProjectRecord) or found.project_id == values["project_id"])
    ]
    alike = [each for each in named if getattr(each, "environment_id", None) == values.get("environment_id")]
    return next(iter(alike or named), None)
