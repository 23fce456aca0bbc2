"""A retry plan: the nodes that a failed run left to do, and the dbt commands that execute exactly them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dbtcloud.artifacts.batches import Batch
from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run, RunStatus, Step
from dbtcloud.report.dbt_command import DbtCommand
from dbtcloud.report.project_facts import ProjectFacts
from dbtcloud.report.step_retry import StepRetry

# dbt Cloud adds these to a job's own commands, and adds them to the next run again.
_AUTOMATIC = frozenset({"deps", "docs generate", "source freshness", "freshness"})

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
        return _RetryPlanner(run, results, original, facts or ProjectFacts()).plan()

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


def _configured_commands(run: Run) -> list[str]:
    """Return the commands that the run had to execute: its trigger's, or else its job's as they are now."""
    own = (run.data.get("trigger") or {}).get("steps_override")
    return list(own or (run.data.get("job") or {}).get("execute_steps") or ())


class _RetryPlanner:
    """Makes the plan of one run by going through its steps."""

    def __init__(
        self,
        run: Run,
        results: Mapping[int, Sequence[NodeResult]],
        original: str | None,
        facts: ProjectFacts,
    ) -> None:
        self._run, self._results, self._original, self._facts = run, results, original, facts
        self._configured = _configured_commands(run)
        self._last = {node.unique_id: node for index in sorted(results) for node in results[index]}
        self._nodes: list[NodeResult] = []
        self._notes: list[str] = []

    def plan(self) -> RetryPlan:
        commands = list(self._commands())
        return RetryPlan(self._run, tuple(self._nodes), tuple(commands), tuple(self._notes))

    def _commands(self) -> Iterator[str]:
        """Yield the commands that failed, then those that were not reached."""
        reached = 0  # number of configured commands that the run has come to
        known = True
        for step, command in self._dbt_steps():
            automatic = DbtCommand.subcommand_of(command) in _AUTOMATIC
            # dbt Cloud may have added an automatic command itself: only the next one can be the job's own.
            if command in self._configured[reached : reached + 1 if automatic else None]:
                reached = self._configured.index(command, reached) + 1
            elif automatic:
                continue
            else:
                known = False
            yield from self._narrowed(step, command)
        if known:
            yield from self._configured[reached:]
        else:
            self._notes.append(
                "The job's commands have changed since the run, so those that it did not reach are not known."
            )

    def _dbt_steps(self) -> Iterator[tuple[Step, str]]:
        """Yield the steps that called dbt with their commands, for `dbt retry` the command it repeated."""
        for step in self._run.steps:
            command = step.dbt_command
            if command is None:
                continue
            if DbtCommand.subcommand_of(command) == "retry" and command not in self._configured:
                command = self._original or self._unknown_original(step)
            yield step, command

    def _unknown_original(self, step: Step) -> str:
        self._notes.append(
            f"Step {step.index} retried an earlier run whose command is not known: `dbt build` is assumed."
        )
        return "dbt build"

    def _narrowed(self, step: Step, command: str) -> Iterator[str]:
        """Yield a command for what it left to do, or unchanged if that is not known."""
        results = self._results.get(step.index, ())
        if step.status == RunStatus.SUCCESS:
            # dbt 1.9 ends with success although batches of the last model failed.
            failed = [node for node in results if node.status == "partial success"]
        else:
            failed = [node for node in results if _is_retried(node)]
            if not failed or step.status == RunStatus.CANCELLED:
                # It failed before its first node, or was cancelled before dbt wrote the results of all nodes.
                yield command
                return
        left = list({node.unique_id: node for each in failed for node in self._left_of(step, each)}.values())
        self._nodes += left
        retry = StepRetry(command, self._last.values(), self._facts)
        yield from retry.commands(left)
        self._notes += retry.notes

    def _left_of(self, step: Step, node: NodeResult) -> Iterator[NodeResult]:
        """Yield what a node of a step has left to do, unless a later step has done it or tried it again."""
        if not node.failed_batches:
            if self._last[node.unique_id] is node:
                yield node
        elif batches := _batches_left(node, self._later_results(step, node)):
            yield replace(node, failed_batches=batches)

    def _later_results(self, step: Step, node: NodeResult) -> list[NodeResult]:
        later = [self._results[index] for index in sorted(self._results) if index > step.index]
        return [each for results in later for each in results if each.unique_id == node.unique_id]


def _batches_left(node: NodeResult, later: Iterable[NodeResult]) -> tuple[Batch, ...]:
    """Return the failed batches of a node that none of its later results has."""
    tried: set[Batch] = set()
    for each in later:
        if each.status == "success" and not each.successful_batches:
            return ()  # it was built as a whole
        tried.update(each.successful_batches, each.failed_batches)
    return tuple(batch for batch in node.failed_batches if batch not in tried)


def _is_retried(node: NodeResult) -> bool:
    """Return whether `dbt retry` would execute the node. Hooks run with every command anyway."""
    return (node.failed or node.status == "skipped") and node.kind != "operation"
