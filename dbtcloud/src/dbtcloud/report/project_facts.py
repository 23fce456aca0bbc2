"""What the retry plan of a run has to know of its dbt project, besides the results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from dbtcloud.artifacts.batches import Batch
from dbtcloud.artifacts.manifest import Manifest
from dbtcloud.artifacts.run_results import NodeResult


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """The project of a run, and the times of the run and of its retry plan.

    Attributes:
        manifest: The project's nodes; empty if they are not known.
        started: When the run started, or None if that is not known.
        now: When the plan is made.
    """

    manifest: Manifest = field(default_factory=Manifest)
    started: datetime | None = None
    now: datetime | None = None

    @property
    def records_batches(self) -> bool:
        """Whether dbt recorded which batches failed: dbt Core does, dbt 2.0 does not."""
        major = self.manifest.schema.dbt_version.partition(".")[0]
        return not major.isdigit() or int(major) < 2

    def is_microbatch(self, node: NodeResult) -> bool:
        """Return whether a node is a microbatch model."""
        return node.unique_id in self.manifest.nodes and bool(self.manifest.nodes[node.unique_id].microbatch)

    def rebuilds(self, node: NodeResult) -> bool:
        """Return whether each run of a model builds its table from the beginning."""
        found = self.manifest.nodes.get(node.unique_id)
        return bool(found and found.microbatch and found.microbatch.full_refresh)

    def missed_range(self, node: NodeResult) -> Batch | None:
        """Return what the run would have built of a microbatch model, and what a run now would not build.

        A model that was skipped would have built its latest batches. Later, these are others.
        """
        found = self.manifest.nodes.get(node.unique_id)
        if not (found and found.microbatch and self.started and self.now) or found.microbatch.full_refresh:
            return None
        then, today = found.microbatch.window(self.started), found.microbatch.window(self.now)
        return Batch(then.start, min(then.end, today.start)) if then.start < today.start else None

    def descendants(self, nodes: Iterable[NodeResult]) -> set[str]:
        """Return the unique ids of all nodes that depend on some nodes."""
        found: set[str] = set()
        rest = [node.unique_id for node in nodes]
        while rest:
            new = set(self.manifest.children.get(rest.pop(), ())) - found
            found |= new
            rest += new
        return found
