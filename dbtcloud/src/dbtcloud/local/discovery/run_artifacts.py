"""The artifacts of a finished run: its manifest, the results of all its steps, and its catalog."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import ijson

from dbtcloud.local.discovery.nodes import RESOURCE_KINDS, CatalogEntry, Json, Result, RunFacts
from dbtcloud.local.model.clock import Timestamp
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
_STREAMED_BYTES = 1024**2
# Their results do not count: those of `dbt docs generate` would replace those of the build.
_COMMANDS_WITHOUT_BUILD = frozenset({"generate", "compile", "parse", "list", "ls", "show"})


@dataclass(frozen=True, slots=True)
class ArtifactSource:
    """The artifacts of a run: a folder with `target/` and `steps/N/`, or the texts of a simulated run."""

    run: RunRecord
    folder: Path
    texts: Mapping[str, Any] | None = None

    def read(self, path: str) -> Json | None:
        """Return a JSON artifact of the last step that wrote it, or None if there is no usable one."""
        if self.texts is not None:
            return _object(self.texts.get(path))
        return _read_json_file(self.folder / "target" / path)

    def read_steps(self, path: str) -> Iterator[Json]:
        """Yield an artifact of each step that has it, in the order of the steps.

        If no step has it, yield that of the whole run.
        """
        found = [each for each in self._read_each_step(path) if each is not None]
        whole = None if found else self.read(path)
        yield from found if whole is None else [whole]

    def _read_each_step(self, path: str) -> Iterator[Json | None]:
        if self.texts is None:
            for step in _sorted_numbers(folder.name for folder in (self.folder / "steps").glob("*")):
                yield _read_json_file(self.folder / "steps" / str(step) / path)
            return
        tail = f"/{path}"
        names = (name for name in self.texts if name.startswith("steps/") and name.endswith(tail))
        for step in _sorted_numbers(name.removeprefix("steps/").removesuffix(tail) for name in names):
            yield _object(self.texts[f"steps/{step}{tail}"])


@dataclass(frozen=True, slots=True)
class ParsedArtifacts:
    """The artifacts of a finished run.

    Attributes:
        facts: the run, and when its results were written.
        metadata: the metadata of the manifest, or None if the run has no manifest.
        bodies: unique id -> the entry of the manifest, for every kind that Discovery has.
        results: unique id -> result, over all steps that execute something.
        freshness: unique id -> the entry of `sources.json`.
        catalog: unique id -> catalog entry.
    """

    facts: RunFacts
    metadata: Json | None = None
    bodies: Mapping[str, Json] = field(default_factory=dict)
    results: Mapping[str, Result] = field(default_factory=dict)
    freshness: Mapping[str, Result] = field(default_factory=dict)
    catalog: Mapping[str, CatalogEntry] = field(default_factory=dict)

    @classmethod
    def read(cls, source: ArtifactSource) -> Self:
        """Read the artifacts of a finished run, without those that are missing or damaged.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: an artifact is JSON, but not as dbt writes it.
        """
        run = source.run
        manifest = source.read("manifest.json")
        metadata = None if manifest is None else (manifest.get("metadata") or {})
        facts = replace(
            RunFacts.of_run(run),
            generated_at=(metadata or {}).get("generated_at") or Timestamp.iso(run.finished_at),
            dbt_version=(metadata or {}).get("dbt_version"),
        )
        results = _merge_results(facts, source, "run_results.json")
        newest = next(reversed(results.values()), None)
        return cls(
            newest.facts if newest else facts,
            metadata,
            _bodies(manifest or {}),
            results,
            _merge_results(facts, source, "sources.json"),
            _catalog(source, facts),
        )

    @property
    def project_name(self) -> str | None:
        """The name in `dbt_project.yml`."""
        return (self.metadata or {}).get("project_name")

    @property
    def adapter_type(self) -> str | None:
        """The type of the warehouse, such as `duckdb`."""
        return (self.metadata or {}).get("adapter_type")


def _merge_results(facts: RunFacts, source: ArtifactSource, path: str) -> dict[str, Result]:
    written = source.read_steps(path)
    return {name: result for each in written for name, result in _results(facts, each)}


def _results(facts: RunFacts, written: Json) -> Iterator[tuple[str, Result]]:
    if (written.get("args") or {}).get("which") in _COMMANDS_WITHOUT_BUILD:
        return
    metadata = written.get("metadata") or {}
    written_facts = replace(
        facts,
        generated_at=metadata.get("generated_at") or facts.generated_at,
        elapsed=written.get("elapsed_time"),
        invocation_id=metadata.get("invocation_id"),
        dbt_version=metadata.get("dbt_version") or facts.dbt_version,
    )
    for body in written.get("results") or ():
        yield body["unique_id"], Result(written_facts, body)


def _catalog(source: ArtifactSource, facts: RunFacts) -> dict[str, CatalogEntry]:
    written = source.read("catalog.json") or {}
    written_facts = replace(
        facts, generated_at=(written.get("metadata") or {}).get("generated_at") or facts.generated_at
    )
    entries = {**(written.get("nodes") or {}), **(written.get("sources") or {})}
    return {unique_id: CatalogEntry(written_facts, body) for unique_id, body in entries.items()}


def _bodies(manifest: Json) -> dict[str, Json]:
    entries = (entry for section in _SECTIONS for entry in (manifest.get(section) or {}).items())
    bodies = (_body(unique_id, body) for unique_id, body in entries)
    return {body["unique_id"]: body for body in bodies if body["resource_type"] in RESOURCE_KINDS}


def _body(unique_id: str, body: Json) -> Json:
    # A shortened manifest may have the type in the key only.
    kind = body.get("resource_type") or unique_id.partition(".")[0]
    return {**body, "unique_id": unique_id, "resource_type": kind}


def _sorted_numbers(names: Iterator[str]) -> list[int]:
    return sorted(int(name) for name in names if name.isdigit())


def _read_json_file(file: Path) -> Json | None:
    """Return the JSON object in a file, or None if there is none."""
    try:
        with file.open("rb") as content:
            large = file.stat().st_size > _STREAMED_BYTES
            # `json` would block all other threads while it parses a large file.
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
