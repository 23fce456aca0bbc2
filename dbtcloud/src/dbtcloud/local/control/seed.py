"""Seeding: put a JSON document of definitions and simulated runs into the store."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

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
)
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.orchestration.simulated_runs import Script

_KINDS: Mapping[str, type[Definition]] = {
    "accounts": AccountRecord,
    "projects": ProjectRecord,
    "environments": EnvironmentRecord,
    "jobs": JobRecord,
    "environment_variables": EnvironmentVariable,
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


def default_seed(project_dir: Path | None = None) -> dict[str, Any]:
    """Return the seed document of a new server: its jobs run the sample project, or that in `project_dir`."""
    package = resources.files("dbtcloud.local")
    document: dict[str, Any] = json.loads(package.joinpath("control/seed.json").read_text("utf-8"))
    for project in document["projects"]:
        project["project_dir"] = str(project_dir or package.joinpath("sample"))
    return document


def seed_store(cloud: Cloud, document: Any) -> dict[str, list[int]]:
    """Put the content of a seed document into the store and return the ids by kind.

    Args:
        cloud: the local dbt Cloud.
        document: `accounts`, `projects`, `environments`, `jobs` and `environment_variables` are lists of
            objects with the fields of `dbtcloud.local.model.records`; ids may be left out. `runs` is a list
            of objects with `job_id` and any of `count`, `age` (seconds since the first run was created),
            `every` (seconds between two runs), `trigger` (cause and overrides), `pretend` (a script in place
            of the job's), `id` (of the first run).

    Raises:
        ValueError: The document is wrong. No run is stored then.
    """
    content = _object(document, "the seed document", (*_KINDS, "runs"))
    if wrong := [name for name, entries in content.items() if not isinstance(entries, list | tuple)]:
        raise ValueError(f"{wrong[0]} of the seed document is {content[wrong[0]]!r}. It has to be a list.")
    ids = {
        name: [_store_definition(cloud, kind, entry) for entry in content.get(name, ())]
        for name, kind in _KINDS.items()
    }
    runs = [run for entry in content.get("runs", ()) for run in _simulated_runs(cloud, entry)]
    return {**ids, "runs": _store_runs(cloud, runs)}


def update_sources(cloud: Cloud, document: dict[str, Any]) -> None:
    """Point stored projects at the sources that the document names."""
    # The sample lies in the installed package, which may have moved since the store was written. A project
    # without a path is a user's own, served from this store before.
    for entry in document["projects"]:
        stored = cloud.store.definitions.get(ProjectRecord, entry["id"])
        if stored is not None and stored.project_dir is not None:
            cloud.store.definitions.put(replace(stored, project_dir=entry["project_dir"]))


def _store_definition(cloud: Cloud, kind: type[Definition], entry: Any) -> int:
    known = {field.name for field in fields(kind)}
    values = _object(entry, f"a seeded {kind.kind.lower()}", tuple(sorted(known)))
    filled = {"id": cloud.store.definitions.next_id(kind), "created_at": cloud.clock.now(), **values}
    required = [
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    ]
    if absent := [name for name in required if name not in filled]:
        raise ValueError(f"A seeded {kind.kind.lower()} needs {', '.join(absent)}; got {entry!r}.")
    check_types(kind, filled, f"a seeded {kind.kind.lower()}")
    if kind is JobRecord:
        filled["execute_steps"] = tuple(filled.get("execute_steps", ("dbt build",)))
        filled["pretend"] = filled.get("pretend") and asdict(Script.parse(filled["pretend"]))
    definition = kind(**filled)
    cloud.store.definitions.put(definition)
    return definition.id


def _simulated_runs(cloud: Cloud, entry: Any) -> Iterator[RunRecord]:
    values = _object(entry, "a seeded run", tuple(each.name for each in fields(_SeededRuns)))
    check_types(_SeededRuns, values, "a seeded run")
    seeded = _SeededRuns(**values)
    job = cloud.store.definitions.get(JobRecord, seeded.job_id)
    if job is None:
        raise ValueError(f"A seeded run names job {seeded.job_id}, which does not exist. Seed the job first.")
    script = Script.parse(seeded.pretend or job.pretend or asdict(Script()))
    created_at = cloud.clock.now() - round(seeded.age * SECOND)
    # Without the job's script, which would be applied as well.
    first = cloud.new_run(replace(job, pretend=None), {"cause": "Seeded", **seeded.trigger}, created_at)
    first = replace(cloud.simulate(first, script), id=seeded.id)
    spacing = round(seeded.every * SECOND)
    for index in range(seeded.count):
        yield _shifted(first, index, index * spacing)


def _shifted(run: RunRecord, index: int, microseconds: int) -> RunRecord:
    instants = ("created_at", "dequeued_at", "started_at", "finished_at")
    shifted = {name: getattr(run, name) + microseconds for name in instants}
    return replace(run, id=run.id and run.id + index, **shifted)


def _store_runs(cloud: Cloud, runs: list[RunRecord]) -> list[int]:
    first = cloud.store.runs.next_id()
    numbered = [run if run.id else replace(run, id=first + index) for index, run in enumerate(runs)]
    cloud.store.runs.add(numbered)
    return [run.id for run in numbered]


def _object(value: Any, what: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"Expected {what} as an object, got {value!r}.")  # noqa: TRY004 - one kind of error for bad input
    if unknown := sorted(set(value) - set(known)):
        raise ValueError(
            f"{what[0].upper()}{what[1:]} has no {', '.join(unknown)}. Its fields are {', '.join(known)}."
        )
    return value
