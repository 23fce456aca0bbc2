"""Upsert of a seed document: a definition that is in the store already, by its name, keeps its id."""

from typing import Any

from dbtcloud.local.control.seed import seed_store
from dbtcloud.local.model.records import Definition, EnvironmentRecord, JobRecord, ProjectRecord
from dbtcloud.local.orchestration.cloud import Cloud

_KINDS: dict[str, type[ProjectRecord | EnvironmentRecord | JobRecord]] = {
    "projects": ProjectRecord,
    "environments": EnvironmentRecord,
    "jobs": JobRecord,
}


def upsert_seed(cloud: Cloud, document: dict[str, Any]) -> dict[int, int]:
    """Insert a document's definitions into the store, or update those that an earlier server stored.

    Args:
        cloud: the local dbt Cloud.
        document: a seed document whose entries have ids and refer to each other by them.

    Returns:
        The stored id of each project, by its id in the document.
    """
    ids: dict[str, dict[int, int]] = {"projects": {}, "environments": {}}
    seed_store(cloud, {"accounts": document["accounts"]})
    for name, kind in _KINDS.items():
        for entry in document[name]:
            values = _with_stored_ids(entry, ids)
            stored = _find_stored(cloud, kind, values, set(ids.get(name, {}).values()))
            if stored is not None:
                values |= {"id": stored.id, "created_at": stored.created_at}
            # The id may belong to another definition, such as a job that was created over the API.
            elif entry["id"] in cloud.store.definitions.ids(kind):
                values["id"] = cloud.store.definitions.next_id(kind)
            ids.setdefault(name, {})[entry["id"]] = seed_store(cloud, {name: [values]})[name][0]
    return ids["projects"]


def _with_stored_ids(entry: dict[str, Any], ids: dict[str, dict[int, int]]) -> dict[str, Any]:
    references = {"project_id": "projects", "environment_id": "environments"}
    return {
        name: ids[references[name]][value] if name in references else value for name, value in entry.items()
    }


def _find_stored(
    cloud: Cloud,
    kind: type[ProjectRecord | EnvironmentRecord | JobRecord],
    values: dict[str, Any],
    taken: set[int],
) -> Definition | None:
    """Return the stored definition of an entry, or None. Of jobs of one name, prefer the same environment."""
    definitions = (cloud.store.definitions.get(kind, id_) for id_ in cloud.store.definitions.ids(kind))
    named = [
        found
        for found in definitions
        if found is not None
        and found.id not in taken
        and found.name == values["name"]
        and (isinstance(found, ProjectRecord) or found.project_id == values["project_id"])
    ]
    alike = [each for each in named if getattr(each, "environment_id", None) == values.get("environment_id")]
    return next(iter(alike or named), None)
