"""A node of a dbt project: its definition, its results, and its catalog entry."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from dbtcloud.artifacts.statuses import SAVED_STATUSES, normalize_status
from dbtcloud.local.model.records import RunRecord

Json: TypeAlias = Mapping[str, Any]

RESOURCE_KINDS: Mapping[str, str] = {
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

EXECUTABLE_KINDS = frozenset({"Model", "Seed", "Snapshot", "Test"})
"""Kinds that a run executes. The others only have a definition."""

_MODELING_LAYERS = ("staging", "intermediate", "marts")
_GOOD_STATUSES = frozenset({"success", "pass", "warn"}) | SAVED_STATUSES


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The run that wrote some artifacts: its ids, when it wrote them (ISO 8601), and the dbt invocation."""

    run_id: int
    job_id: int
    account_id: int
    project_id: int
    environment_id: int
    generated_at: str | None = None
    elapsed: float | None = None
    invocation_id: str | None = None
    dbt_version: str | None = None

    @classmethod
    def of_run(cls, run: RunRecord) -> Self:
        """Return the ids of a run, without what its artifacts say."""
        return cls(run.id, run.job_id, run.account_id, run.project_id, run.environment_id)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a node in one run: an entry of `run_results.json` or `sources.json`."""

    facts: RunFacts
    body: Json

    @property
    def status(self) -> str:
        """The status in lower case, such as `success`, `error`, `skipped`, `pass`, `fail` or `warn`."""
        return normalize_status(str(self.body.get("status")))

    @property
    def good(self) -> bool:
        """True if the node was built, its test passed, or dbt State found it up to date."""
        return self.status in _GOOD_STATUSES

    @property
    def error(self) -> str | None:
        """The message of a result that is not good."""
        message = self.body.get("message")
        return None if self.good or message is None else str(message)

    def timing(self, phase: str, end: str) -> str | None:
        """Return when a phase (`compile`, `execute`) began (`started_at`) or ended (`completed_at`)."""
        for timing in self.body.get("timing") or ():
            if timing.get("name") == phase:
                return timing.get(end)  # type: ignore[no-any-return]
        return None


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A node's entry of `catalog.json`."""

    facts: RunFacts
    body: Json


@dataclass(frozen=True, slots=True)
class DiscoveryNode:
    """A node: its entry of `manifest.json` with its results and catalog entry.

    Attributes:
        body: the entry of the manifest.
        facts: the run that wrote this manifest.
        last: the newest result.
        success: the newest good one.
        history: all results, newest first. Nodes other than models keep only the newest.
        catalog: the newest catalog entry.
    """

    body: Json
    facts: RunFacts
    last: Result | None = None
    success: Result | None = None
    history: tuple[Result, ...] = ()
    catalog: CatalogEntry | None = None

    @property
    def unique_id(self) -> str:
        """The id in the manifest, such as `model.shop.orders`."""
        return str(self.body["unique_id"])

    @property
    def kind(self) -> str:
        """The `ResourceNodeType` of Discovery, such as `Model`."""
        return RESOURCE_KINDS[self.body["resource_type"]]

    @property
    def config(self) -> Json:
        """The node's configuration, empty where the manifest has none."""
        return self.body.get("config") or {}

    @property
    def cursor(self) -> str:
        """The cursor of the node in a list, which leads to the node after it."""
        return urlsafe_b64encode(self.unique_id.encode()).decode()

    @property
    def tags(self) -> list[str]:
        """The tags of the entry, or of the configuration if the entry has none."""
        return list(self.body.get("tags") or self.config.get("tags") or ())

    @property
    def table_identifier(self) -> str | None:
        """The name of the node's table."""
        return self.body.get("identifier") or self.body.get("alias") or self.body.get("name")

    @property
    def modeling_layer(self) -> str | None:
        """The layer that the folder of a model names: staging, intermediate or marts."""
        folders = {part.lower() for part in (self.body.get("fqn") or ())[:-1]}
        return next((layer for layer in _MODELING_LAYERS if layer in folders), None)

    @property
    def test_type(self) -> str:
        """The GraphQL `TestType`: tests written as SQL are singular, configured ones are generic."""
        if self.body["resource_type"] == "unit_test":
            return "UNIT_TEST"
        return "GENERIC_DATA_TEST" if self.body.get("test_metadata") else "SINGULAR_DATA_TEST"
