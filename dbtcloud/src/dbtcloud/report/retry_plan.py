"""A retry plan: the nodes that a failed run left to do, and the dbt commands that execute exactly them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dbtcloud.artifacts.batches import Batch
from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run
from dbtcloud.client.run_status import RunStatus
from dbtcloud.report.project_facts import ProjectFacts
from dbtcloud.report.unfinished_run import UnfinishedRun

_MAX_NODES = 50  # nodes that the log lines of a plan name
_MAX_RANGES = 5  # ranges of failed batches that the log line of a model names
_MAX_COMMAND = 2_000  # characters of a command in the log lines of a plan


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """The nodes and commands that a retry of a run executes.

    Attributes:
        run: The run.
        nodes: Nodes that failed or were skipped, each with its last result in the run. The `failed_batches`
            of a microbatch model are those that no later step of the run has built.
        commands: dbt commands for a new run's `steps_override`: first the commands that failed, narrowed to
            `nodes` and to failed batches, then the commands that were not reached, unchanged.
        notes: Sentences about where the plan is not exact.
    """

    run: Run
    nodes: tuple[NodeResult, ...] = ()
    commands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of_run(
        cls,
        run: Run,
        results: Mapping[int, Sequence[NodeResult]],
        *,
        original: str | None = None,
        facts: ProjectFacts | None = None,
    ) -> RetryPlan:
        """Return the plan that does what `dbt retry` would do, also where dbt Cloud cannot retry the run.

        Args:
            run: The run with its steps, its trigger and its job (`include_related`).
            results: The nodes of each step that wrote `run_results.json`, by the step's index.
            original: The command that a step `dbt retry` of the run repeated.
            facts: What is known of the project; nothing if None.
        """
        if not run.finished or run.status == RunStatus.SUCCESS:
            return cls(run)
        left = UnfinishedRun(run, results, original, facts or ProjectFacts())
        commands = tuple(left.commands())
        return cls(run, tuple(left.nodes), commands, tuple(left.notes))

    def unexecuted(self, results: Iterable[NodeResult]) -> tuple[str, ...]:
        """Return what of the plan a retry has not executed, such as "model daily, 2026-11-22 to 2026-11-23".

        Args:
            results: The results of all steps of the retry.
        """
        batches: dict[str, set[Batch]] = {}
        for result in results:
            found = batches.setdefault(result.unique_id, set())
            found.update(result.successful_batches, result.failed_batches)
        return tuple(text for node in self.nodes for text in _unexecuted(node, batches.get(node.unique_id)))

    def log_lines(self) -> list[str]:
        """Return the plan as log lines."""
        if not self.commands:
            return [_no_plan(self.run), *self.notes]
        shown = self.nodes[:_MAX_NODES]
        more = len(self.nodes) - len(shown)
        nodes, commands = _count(self.nodes, "node"), _count(self.commands, "command")
        return [
            f"Retry plan of run {self.run.id}: {nodes}, {commands}.",
            *(f"  {node.status:<8} {_title(node)}{_in_batches(node)}" for node in shown),
            *([f"  … and {more} more"] if more else []),
            "Commands:",
            *(f"  {_cut(command)}" for command in self.commands),
            *self.notes,
        ]


def unexecuted_message(run_id: int | str, missing: Sequence[str]) -> str:
    """Return the message about parts of a retry plan that a run has not executed."""
    more = f"; and {len(missing) - _MAX_NODES} more" if len(missing) > _MAX_NODES else ""
    return (
        f"Job run {run_id} succeeded, but it has not executed everything that was left to do: "
        f"{'; '.join(missing[:_MAX_NODES])}{more}. dbt found nothing that the retry plan selects, for "
        "example because it was renamed or removed. Run the whole job, or clear the task, which does that."
    )


def _title(node: NodeResult) -> str:
    return f"{node.kind} {node.name}"


def _in_batches(node: NodeResult) -> str:
    if not node.failed_batches:
        return ""
    ranges = ", ".join(map(str, Batch.merge(node.failed_batches)[:_MAX_RANGES]))
    return f": {_count(node.failed_batches, 'batch', 'batches')}, {ranges}"


def _unexecuted(node: NodeResult, executed: set[Batch] | None) -> Iterator[str]:
    """Yield the node if it was not executed, or else those of its batches that were not."""
    if executed is None:
        yield _title(node)
    elif executed:  # dbt 2.0 records no batches
        for batch in Batch.merge(set(node.failed_batches) - executed):
            yield f"{_title(node)}, {batch}"


def _no_plan(run: Run) -> str:
    if not run.finished:
        return f"Run {run.id} has nothing to retry: it is still running."
    if run.status == RunStatus.SUCCESS:
        return f"Run {run.id} has nothing to retry: it ended with {RunStatus.name_of(run.status)}."
    return f"Run {run.id} has no retry plan: none of its dbt commands failed."


def _cut(command: str) -> str:
    if len(command) <= _MAX_COMMAND:
        return command
    return f"{command[:_MAX_COMMAND]}… ({len(command):,} characters)"


def _count(things: Sequence[object], name: str, names: str = "") -> str:
    return f"{len(things)} {name if len(things) == 1 else names or name + 's'}"
