"""What Discovery knows of one node of a dbt project: its definition, its results, its catalog entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]

KINDS: Mapping[str, str] = {
    "model": "Model",
    "seed": "Seed",
    "snapshot": "Snapshot",
    "source": "Source",
    "test": "Test",
    "unit_test": "Test",
    "exposure": "Exposure",
    "macro": "Macro",
    "metric": "Metric",
    "semantic_model": "SemanticModel",
    "saved_query": "SavedQuery",
    "group": "Group",
}
"""dbt's `resource_type` -> Discovery's `ResourceNodeType`."""

EXECUTED = frozenset({"Model", "Seed", "Snapshot", "Test"})
"""Kinds that a run executes; the others are only declared."""

_GOOD = frozenset({"success", "pass", "warn"})


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Whose artifacts they are: ids, the instant they were written (ISO), and how dbt was called."""

    run_id: int
    job_id: int
    account_id: int
    project_id: int
    environment_id: int
    generated_at: str | None = None
    elapsed: float | None = None
    invocation_id: str | None = None
    dbt_version: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What one run made of a node: an entry of `run_results.json`, or of `sources.json`."""

    facts: RunFacts
    body: Json

    @property
    def status(self) -> str:
        """Dbt's own word, such as `success`, `error`, `skipped`, `pass`, `fail`, `warn`."""
        return str(self.body.get("status"))

    @property
    def good(self) -> bool:
        """Whether it stands for something built or passed."""
        return self.status in _GOOD

    @property
    def error(self) -> str | None:
        """Dbt's message where it did not go well."""
        message = self.body.get("message")
        return None if self.good or message is None else str(message)

    def timing(self, phase: str, end: str) -> str | None:
        """Return when a phase (`compile`, `execute`) began (`started_at`) or ended (`completed_at`)."""
        for timing in self.body.get("timing") or ():
            if timing.get("name") == phase:
                return timing.get(end)  # type: ignore[no-any-return]
        return None


@dataclass(frozen=True, slots=True)
class Catalogued:
    """A node's entry of `catalog.json`."""

    facts: RunFacts
    body: Json


@dataclass(frozen=True, slots=True)
class Node:
    """A node: its entry of `manifest.json` and what has become of it.

    Attributes:
        body: the manifest's entry.
        facts: the run whose manifest that is.
        last: the newest result.
        success: the newest good one.
        history: newest first, of models only.
        catalog: the newest catalog entry.
    """

    body: Json
    facts: RunFacts
    last: Result | None = None
    success: Result | None = None
    history: tuple[Result, ...] = ()
    catalog: Catalogued | None = None

    @property
    def unique_id(self) -> str:
        """Dbt's id, such as `model.shop.orders`."""
        return str(self.body["unique_id"])

    @property
    def kind(self) -> str:
        """Discovery's word for what it is, such as `Model`."""
        return KINDS[self.body["resource_type"]]

    @property
    def config(self) -> Json:
        """The node's configuration, empty where the manifest has none."""
        return self.body.get("config") or {}
