"""The commands that execute what one dbt command left to do: its failed batches, then its other nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbtcloud.artifacts.batches import Batch
from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.report.dbt_command import DbtCommand
from dbtcloud.report.node_selection import NodeSelector
from dbtcloud.report.project_facts import ProjectFacts

NARROWABLE = frozenset({"build", "run", "test", "seed", "snapshot", "clone"})
"""dbt commands that take a selection and write a result for each node."""


class StepRetry:
    """The retry of one dbt command.

    Args:
        command: The command.
        known: The last results of all nodes of the run.
        facts: What is known of the project.

    Attributes:
        notes: Sentences about where the commands are not exact.
    """

    def __init__(self, command: str, known: Iterable[NodeResult], facts: ProjectFacts) -> None:
        self._text, self._facts = command, facts
        self._subcommand = DbtCommand.subcommand_of(command)
        self._selector = NodeSelector(self._subcommand, known, facts.manifest.nodes)
        self.notes: list[str] = []

    def commands(self, nodes: list[NodeResult]) -> Iterator[str]:
        """Yield the commands that execute nodes, in an order in which nothing comes before what it needs.

        Args:
            nodes: Nodes in the order of their execution. Of those with failed batches only these are built.
                What depends on such a node was skipped, so it comes after it.
        """
        if not nodes:
            return
        if self._subcommand not in NARROWABLE:
            self._note_repeated("dbt cannot select only its failed nodes")
            yield self._text
            return
        in_batches = [node for node in nodes if node.failed_batches]
        if in_batches and self._parsed.samples:
            self._note_repeated("dbt ignores the times of batches where it takes a sample")
            yield self._text
            return
        yield from self._batch_commands(in_batches)
        if others := [node for node in nodes if not node.failed_batches]:
            yield from self._node_commands(others)

    @property
    def _parsed(self) -> DbtCommand:
        return DbtCommand.parse(self._text)

    def _batch_commands(self, nodes: list[NodeResult]) -> Iterator[str]:
        """Yield a command for each range of failed batches, the earliest first."""
        models: dict[tuple[Batch, bool], list[NodeResult]] = {}
        for node in nodes:
            for each in self._ranges(node):
                models.setdefault(each, []).append(node)
        for batch, keeps_table in sorted(models):
            yield self._of_range(batch, models[batch, keeps_table], keeps_table=keeps_table)

    def _ranges(self, node: NodeResult) -> list[tuple[Batch, bool]]:
        """Return the ranges to build of a model, and whether its table is kept."""
        if self._facts.rebuilds(node):
            # Each command replaces the table, so it has to build all batches.
            return [(Batch.hull((*node.successful_batches, *node.failed_batches)), False)]
        if not node.successful_batches:
            # Perhaps there is no table yet, or it was to be replaced.
            return [(Batch.hull(node.failed_batches), False)]
        return [(batch, True) for batch in Batch.merge(node.failed_batches)]

    def _of_range(self, batch: Batch, nodes: list[NodeResult], *, keeps_table: bool) -> str:
        command = self._narrowed(nodes) or self._parsed
        if keeps_table:
            command = command.without_full_refresh()
        return str(command.with_event_times(batch.start, batch.end))

    def _node_commands(self, nodes: list[NodeResult]) -> Iterator[str]:
        if unknown := [node for node in nodes if self._has_unknown_batches(node)]:
            self._note_repeated(
                f"it is not known which batches of {_named(unknown)} failed, and some may stay missing"
            )
            yield self._text
            return
        narrowed = self._narrowed(nodes)
        if narrowed is None:
            self._note_repeated("dbt cannot select only its failed nodes")
        yield self._text if narrowed is None else str(narrowed)
        yield from self._commands_of_missed_ranges(nodes)

    def _has_unknown_batches(self, node: NodeResult) -> bool:
        unrecorded = self._facts.is_microbatch(node) and not self._facts.records_batches
        return node.status == "partial success" or (node.failed and unrecorded)

    def _commands_of_missed_ranges(self, nodes: list[NodeResult]) -> Iterator[str]:
        """Yield commands for the batches that skipped microbatch models would have built on the run's day.

        If a model has no table yet, the command before these has built all of its batches, and these build
        some of them again.
        """
        if self._parsed.limits_time or self._parsed.full_refresh:
            return
        late = {node.unique_id: found for node in nodes if (found := self._facts.missed_range(node))}
        models = [node for node in nodes if node.unique_id in late]
        for batch in sorted(set(late.values())):
            yield self._of_range(batch, [m for m in models if late[m.unique_id] == batch], keeps_table=True)
        descendants = self._facts.descendants(models)
        if after := [node for node in nodes if node.unique_id in descendants - late.keys()]:
            yield str(self._narrowed(after) or self._text)

    def _narrowed(self, nodes: list[NodeResult]) -> DbtCommand | None:
        """Return the command for these nodes only, or None if dbt cannot select them."""
        selections = [self._selector.selection_of(node) for node in nodes]
        exact = {selection for selection in selections if selection is not None}
        if None in selections:
            return None
        if others := self._selector.indistinguishable(nodes):
            named = ", ".join(node.unique_id for node in others)
            self._note(f"Nodes of the same name as a failed one are executed too: {named}.")
        for node in self._selector.ambiguous_snapshots(nodes):
            self._note(f"Other snapshots in a file or folder named {node.name} are executed too.")
        return self._parsed.with_selection(sorted(exact))

    def _note_repeated(self, why: str) -> None:
        self._note(f"`{self._text}` is repeated in full: {why}.")

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)


def _named(nodes: Iterable[NodeResult]) -> str:
    return ", ".join(f"{node.kind} {node.name}" for node in nodes)
