"""The seed: a JSON document of definitions and simulated runs that is put into the store."""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from dbtcloud.local.control.type_check import check_types
from dbtcloud.local.model.clock import SECOND
from dbtcloud.local.model.records import (
    AccountRecord,
    Definition,
    EnvironmentRecord,
    EnvironmentVariable,
    JobRecord,
    ProjectRecord,
    RunRecord,
    WebhookSubscription,
)
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.orchestration.simulated_runs import Script
from dbtcloud.local.webhooks.events import EVENT_TYPES, invalid_subscription_fields

_Named: TypeAlias = ProjectRecord | EnvironmentRecord | JobRecord

_KINDS: Mapping[str, type[Definition]] = {
    "accounts": AccountRecord,
    "projects": ProjectRecord,
    "environments": EnvironmentRecord,
    "jobs": JobRecord,
    "environment_variables": EnvironmentVariable,
    "webhooks": WebhookSubscription,
}
# Fields that are stored as tuples, and how they are filled if an entry does not have them.
_TUPLES: Mapping[type, Mapping[str, tuple[str, ...]]] = {
    JobRecord: {"execute_steps": ("dbt build",)},
    WebhookSubscription: {"event_types": EVENT_TYPES, "job_ids": ()},
}
# Each kind refers to those before it by their ids.
_UPSERTED_KINDS: Mapping[str, type[_Named]] = {
    "projects": ProjectRecord,
    "environments": EnvironmentRecord,
    "jobs": JobRecord,
}


@dataclass(frozen=True, slots=True)
class _SeededRuns:
    """An entry of `runs` in a seed document. `age` and `every` are seconds."""

    job_id: int = 1
    id: int = 0
    count: int = 1
    age: float = 0
    every: float = 0
    trigger: dict[str, Any] = field(default_factory=dict)
    pretend: dict[str, Any] | None = None


class Seeder:
    """Puts seed documents into the store.

    Args:
        cloud: the local dbt Cloud.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    @staticmethod
    def default_document(project_dir: Path | None = None) -> dict[str, Any]:
        """Return the seed document of a new server.

        Its jobs run the project in `project_dir`, or the sample project if that is None.
        """
        package = resources.files("dbtcloud.local")
        document: dict[str, Any] = json.loads(package.joinpath("control/seed.json").read_text("utf-8"))
        for project in document["projects"]:
            project["project_dir"] = str(project_dir or package.joinpath("sample"))
        return document

    def insert(self, document: Any) -> dict[str, list[int]]:
        """Put the content of a seed document into the store and return the ids by kind.

        Args:
            document: `accounts`, `projects`, `environments`, `jobs`, `environment_variables` and `webhooks`
                are lists of objects with the fields of `dbtcloud.local.model.records`; ids may be left out,
                and of a webhook everything but `name` and `client_url`. `runs` is a
                list of objects with `job_id` and any of `count`, `age` (seconds since the first run was
                created), `every` (seconds between two runs), `trigger` (cause and overrides), `pretend` (a
                script in place of the job's) and `id` (of the first run).

        Raises:
            ValueError: The document is wrong. No run is stored then.
        """
        content = _object(document, "the seed document", (*_KINDS, "runs"))
        if wrong := [name for name, entries in content.items() if not isinstance(entries, list | tuple)]:
            raise ValueError(
                f"{wrong[0]} of the seed document is {content[wrong[0]]!r}. It has to be a list."
            )
        ids = {
            name: [self._store_definition(kind, entry) for entry in content.get(name, ())]
            for name, kind in _KINDS.items()
        }
        runs = [run for entry in content.get("runs", ()) for run in self._simulated_runs(entry)]
        return {**ids, "runs": self._store_runs(runs)}

    def upsert(self, document: dict[str, Any]) -> dict[int, int]:
        """Insert a document's definitions into the store, or update those that an earlier server stored.

        Args:
            document: a seed document whose entries have ids and refer to each other by them.

        Returns:
            The stored id of each project, by its id in the document.
        """
        ids: dict[str, dict[int, int]] = {"projects": {}, "environments": {}}
        self.insert({"accounts": document["accounts"]})
        for name, kind in _UPSERTED_KINDS.items():
            for entry in document[name]:
                values = _with_stored_ids(entry, ids)
                stored = self._find_stored(kind, values, set(ids.get(name, {}).values()))
                if stored is not None:
                    values |= {"id": stored.id, "created_at": stored.created_at}
                # The id may belong to another definition, such as a job that was created over the API.
                elif entry["id"] in self._cloud.store.definitions.ids(kind):
                    values["id"] = self._cloud.store.definitions.next_id(kind)
                ids.setdefault(name, {})[entry["id"]] = self.insert({name: [values]})[name][0]
        return ids["projects"]

    def update_sources(self, document: dict[str, Any]) -> None:
        """Point stored projects at the sources that the document names."""
        # The sample lies in the installed package, which may have moved since the store was written. A
        # project without a path is a user's own, served from this store before.
        for entry in document["projects"]:
            stored = self._cloud.store.definitions.get(ProjectRecord, entry["id"])
            if stored is not None and stored.project_dir is not None:
                self._cloud.store.definitions.put(replace(stored, project_dir=entry["project_dir"]))

    def _store_definition(self, kind: type[Definition], entry: Any) -> int:
        what, definitions = f"a seeded {kind.kind.lower()}", self._cloud.store.definitions
        values = _object(entry, what, tuple(sorted(each.name for each in fields(kind))))
        filled = {**self._defaults(kind), **values}
        required = [
            each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING
        ]
        if absent := [name for name in required if name not in filled]:
            raise ValueError(f"A{what[1:]} needs {', '.join(absent)}; got {entry!r}.")
        check_types(kind, filled, what)
        if kind is JobRecord:
            filled["pretend"] = filled.get("pretend") and asdict(Script.parse(filled["pretend"]))
        if kind is WebhookSubscription:
            _check_webhook(filled, what)
        definition = kind(**{name: _as_stored(kind, name, value) for name, value in filled.items()})
        definitions.put(definition)
        return definition.id

    def _defaults(self, kind: type[Definition]) -> dict[str, Any]:
        secret = {"secret": secrets.token_hex(24)} if kind is WebhookSubscription else {}
        id_ = self._cloud.store.definitions.next_id(kind)
        return {"id": id_, "created_at": self._cloud.clock.now(), **secret, **_TUPLES.get(kind, {})}

    def _simulated_runs(self, entry: Any) -> Iterator[RunRecord]:
        values = _object(entry, "a seeded run", tuple(each.name for each in fields(_SeededRuns)))
        check_types(_SeededRuns, values, "a seeded run")
        seeded = _SeededRuns(**values)
        job = self._cloud.store.definitions.get(JobRecord, seeded.job_id)
        if job is None:
            raise ValueError(
                f"A seeded run names job {seeded.job_id}, which does not exist. Seed the job first."
            )
        script = Script.parse(seeded.pretend or job.pretend or asdict(Script()))
        created_at = self._cloud.clock.now() - round(seeded.age * SECOND)
        trigger = {"cause": "Seeded", **seeded.trigger}
        # Without the job's script, which would be applied as well.
        first = self._cloud.new_run(replace(job, pretend=None), trigger, created_at)
        first = replace(self._cloud.simulate(first, script), id=seeded.id)
        spacing = round(seeded.every * SECOND)
        for index in range(seeded.count):
            yield _shifted(first, index, index * spacing)

    def _store_runs(self, runs: list[RunRecord]) -> list[int]:
        first = self._cloud.store.runs.next_id()
        numbered = [run if run.id else replace(run, id=first + index) for index, run in enumerate(runs)]
        self._cloud.store.runs.add(numbered)
        return [run.id for run in numbered]

    def _find_stored(self, kind: type[_Named], values: dict[str, Any], taken: set[int]) -> Definition | None:
        """Return the stored definition with the name of an entry, or None.

        Args:
            kind: the kind of the definition.
            values: the fields of the entry.
            taken: ids that earlier entries of the document have.
        """
        store = self._cloud.store.definitions
        named = [
            found
            for found in (store.get(kind, id_) for id_ in store.ids(kind))
            if found is not None
            and found.id not in taken
            and found.name == values["name"]
            and (isinstance(found, ProjectRecord) or found.project_id == values["project_id"])
        ]
        # Of several jobs of one name, prefer the one in the same environment.
        environment_id = values.get("environment_id")
        alike = [each for each in named if getattr(each, "environment_id", None) == environment_id]
        return next(iter(alike or named), None)


def _check_webhook(values: Mapping[str, Any], what: str) -> None:
    for name, problem in invalid_subscription_fields(values["event_types"], values["client_url"]).items():
        raise ValueError(f"{name} of {what}: {problem}.")


def _as_stored(kind: type, name: str, value: Any) -> Any:
    return tuple(value) if name in _TUPLES.get(kind, {}) else value


def _with_stored_ids(entry: dict[str, Any], ids: dict[str, dict[int, int]]) -> dict[str, Any]:
    references = {"project_id": "projects", "environment_id": "environments"}
    return {
        name: ids[references[name]][value] if name in references else value for name, value in entry.items()
    }


def _shifted(run: RunRecord, index: int, microseconds: int) -> RunRecord:
    instants = ("created_at", "dequeued_at", "started_at", "finished_at")
    shifted = {name: getattr(run, name) + microseconds for name in instants}
    return replace(run, id=run.id and run.id + index, **shifted)


def _object(value: Any, what: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"Expected {what} as an object, got {value!r}.")  # noqa: TRY004 - one kind of error for bad input
    if unknown := sorted(set(value) - set(known)):
        raise ValueError(
            f"{what[0].upper()}{what[1:]} has no {', '.join(unknown)}. Its fields are {', '.join(known)}."
        )
    return value
