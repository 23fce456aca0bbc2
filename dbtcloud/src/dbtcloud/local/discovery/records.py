"""What a finished run has left behind, read once: its manifest, results of all its steps, its catalog."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ijson

from dbtcloud.local.discovery.nodes import KINDS, Catalogued, Json, Result, RunFacts
from dbtcloud.local.model.clock import iso
from dbtcloud.local.model.records import RunRecord

_SECTIONS = (
    "nodes",
    "unit_tests",
    "sources",
    "exposures",
    "macros",
    "metrics",
    "semantic_models",
    "saved_queries",
    "groups",
)
_LARGE = 1024**2
_NOT_EXECUTING = frozenset({"generate", "compile", "parse", "list", "ls", "show"})
"""Commands whose results say nothing of what was built: docs of a run would hide its build otherwise."""


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Where a run's artifacts are: a folder with `target/` and `steps/N/`, or a pretended run's texts."""

    run: RunRecord
    folder: Path
    texts: Mapping[str, Any] | None = None

    def read(self, path: str) -> Json | None:
        """Return a JSON artifact of the run's last step that wrote it; None where there is no usable one."""
        if self.texts is not None:
            return _object(self.texts.get(path))
        return _of_file(self.folder / "target" / path)

    def read_steps(self, path: str) -> Iterator[Json]:
        """Yield an artifact of each step that has it, in the steps' order; of the run where none has."""
        found = [each for each in self._of_steps(path) if each is not None]
        whole = None if found else self.read(path)
        yield from found if whole is None else [whole]

    def _of_steps(self, path: str) -> Iterator[Json | None]:
        if self.texts is None:
            for step in _numbered(folder.name for folder in (self.folder / "steps").glob("*")):
                yield _of_file(self.folder / "steps" / str(step) / path)
            return
        tail = f"/{path}"
        names = (name for name in self.texts if name.startswith("steps/") and name.endswith(tail))
        for step in _numbered(name.removeprefix("steps/").removesuffix(tail) for name in names):
            yield _object(self.texts[f"steps/{step}{tail}"])


@dataclass(frozen=True, slots=True)
class RunArtifacts:
    """A finished run's artifacts.

    Attributes:
        facts: whose they are, and when its results were written.
        metadata: of the manifest; None where the run left none.
        bodies: unique id -> the manifest's entry, of every kind that Discovery knows.
        results: unique id -> result, over all steps that execute something.
        freshness: unique id -> what `sources.json` says of a source.
        catalog: unique id -> catalog entry.
    """

    facts: RunFacts
    metadata: Json | None = None
    bodies: Mapping[str, Json] = field(default_factory=dict)
    results: Mapping[str, Result] = field(default_factory=dict)
    freshness: Mapping[str, Result] = field(default_factory=dict)
    catalog: Mapping[str, Catalogued] = field(default_factory=dict)

    @property
    def project_name(self) -> str | None:
        """The name in `dbt_project.yml`."""
        return (self.metadata or {}).get("project_name")

    @property
    def adapter_type(self) -> str | None:
        """Dbt's word for the warehouse, such as `duckdb`."""
        return (self.metadata or {}).get("adapter_type")


def read_record(left: LeftBehind) -> RunArtifacts:
    """Read the artifacts of a finished run; what is missing or damaged is left out."""
    run = left.run
    manifest = left.read("manifest.json")
    metadata = None if manifest is None else (manifest.get("metadata") or {})
    facts = replace(
        facts_of(run),
        generated_at=(metadata or {}).get("generated_at") or iso(run.finished_at),
        dbt_version=(metadata or {}).get("dbt_version"),
    )
    results = _merged(facts, left, "run_results.json")
    newest = next(reversed(results.values()), None)
    return RunArtifacts(
        newest.facts if newest else facts,
        metadata,
        _bodies(manifest or {}),
        results,
        _merged(facts, left, "sources.json"),
        _catalog(left, facts),
    )


def facts_of(run: RunRecord) -> RunFacts:
    """Return whose artifacts a run's are."""
    return RunFacts(run.id, run.job_id, run.account_id, run.project_id, run.environment_id)


def _merged(facts: RunFacts, left: LeftBehind, path: str) -> dict[str, Result]:
    written = left.read_steps(path)
    return {name: result for each in written for name, result in _results(facts, each)}


def _results(facts: RunFacts, written: Json) -> Iterator[tuple[str, Result]]:
    if (written.get("args") or {}).get("which") in _NOT_EXECUTING:
        return
    metadata = written.get("metadata") or {}
    told = replace(
        facts,
        generated_at=metadata.get("generated_at") or facts.generated_at,
        elapsed=written.get("elapsed_time"),
        invocation_id=metadata.get("invocation_id"),
        dbt_version=metadata.get("dbt_version") or facts.dbt_version,
    )
    for body in written.get("results") or ():
        yield body["unique_id"], Result(told, body)


def _catalog(left: LeftBehind, facts: RunFacts) -> dict[str, Catalogued]:
    written = left.read("catalog.json") or {}
    told = replace(
        facts, generated_at=(written.get("metadata") or {}).get("generated_at") or facts.generated_at
    )
    entries = {**(written.get("nodes") or {}), **(written.get("sources") or {})}
    return {unique_id: Catalogued(told, body) for unique_id, body in entries.items()}


def _bodies(manifest: Json) -> dict[str, Json]:
    entries = (entry for section in _SECTIONS for entry in (manifest.get(section) or {}).items())
    bodies = (_body(unique_id, body) for unique_id, body in entries)
    return {body["unique_id"]: body for body in bodies if body["resource_type"] in KINDS}


def _body(unique_id: str, body: Json) -> Json:
    # A trimmed manifest may leave out what the key already says.
    kind = body.get("resource_type") or unique_id.partition(".")[0]
    return {**body, "unique_id": unique_id, "resource_type": kind}


def _numbered(names: Iterator[str]) -> list[int]:
    return sorted(int(name) for name in names if name.isdigit())


def _of_file(file: Path) -> Json | None:
    """Read a file's object; a large one piece by piece, because json holds all other threads up meanwhile."""
    try:
        with file.open("rb") as content:
            large = file.stat().st_size > _LARGE
            value = next(ijson.items(content, "", use_float=True)) if large else json.load(content)
    except (OSError, ValueError, RecursionError, StopIteration, ijson.JSONError):
        return None
    return value if isinstance(value, dict) else None


def _object(content: Any) -> Json | None:
    try:
        value = json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
