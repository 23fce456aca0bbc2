"""A retry plan: the nodes that a failed run left to do, and the dbt commands that execute exactly them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run, RunStatus, Step
from dbtcloud.report.dbt_command import DbtCommand
from dbtcloud.report.node_selection import NodeSelector

NARROWABLE = frozenset({"build", "run", "test", "seed", "snapshot", "clone"})
"""dbt commands that take a selection and write a result for each node."""

# dbt Cloud adds these to a job's own commands, and adds them to the next run again.
_AUTOMATIC = frozenset({"deps", "docs generate", "source freshness", "freshness"})

_MAX_NODES = 50  # nodes that the log lines of a plan name
_MAX_COMMAND = 2_000  # characters of a command in the log lines of a plan


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """The nodes and commands that a retry of a run executes.

    Attributes:
        run: The run.
        nodes: Nodes that failed or were skipped, each with its last result in the run.
        commands: dbt commands for a new run's `steps_override`: first the commands that failed, narrowed to
            `nodes`, then the commands that were not reached, unchanged.
        notes: Sentences about where the plan is not exact.
    """

    run: Run
    nodes: tuple[NodeResult, ...] = ()
    commands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of_run(
        cls, run: Run, results: Mapping[int, Sequence[NodeResult]], *, original: str | None = None
    ) -> RetryPlan:
        """Return the plan that does what `dbt retry` would do, also where dbt Cloud cannot retry the run.

        Args:
            run: The run with its steps, its trigger and its job (`include_related`).
            results: The nodes of each step that wrote `run_results.json`, by the step's index.
            original: The command that a step `dbt retry` of the run repeated.
        """
        if not run.finished or run.status == RunStatus.SUCCESS:
            return cls(run)
        return _RetryPlanner(run, results, original).plan()

    def log_lines(self) -> list[str]:
        """Return the plan as log lines."""
        if not self.commands:
            return [_no_plan(self.run), *self.notes]
        shown = self.nodes[:_MAX_NODES]
        more = len(self.nodes) - len(shown)
        nodes, commands = _count(self.nodes, "node"), _count(self.commands, "command")
        return [
            f"Retry plan of run {self.run.id}: {nodes}, {commands}.",
            *(f"  {node.status:<8} {node.kind} {node.name}" for node in shown),
            *([f"  … and {more} more"] if more else []),
            "Commands:",
            *(f"  {_cut(command)}" for command in self.commands),
            *self.notes,
        ]


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


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _configured_commands(run: Run) -> list[str]:
    """Return the commands that the run had to execute: its trigger's, or else its job's as they are now."""
    own = (run.data.get("trigger") or {}).get("steps_override")
    return list(own or (run.data.get("job") or {}).get("execute_steps") or ())


class _RetryPlanner:
    """Makes the plan of one run by going through its steps."""

    def __init__(self, run: Run, results: Mapping[int, Sequence[NodeResult]], original: str | None) -> None:
        self._run, self._results, self._original = run, results, original
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
            if step.status != RunStatus.SUCCESS:
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
        """Yield a failed command for the nodes that it left to do, or unchanged if these are not known."""
        failed = [node for node in self._results.get(step.index, ()) if _is_retried(node)]
        if not failed or step.status == RunStatus.CANCELLED:
            # It failed before its first node, or was cancelled before dbt wrote the results of all nodes.
            yield command
            return
        left = list({node.unique_id: node for node in failed if self._last[node.unique_id] is node}.values())
        self._nodes += left
        if left:
            yield self._with_selection(command, left)

    def _with_selection(self, command: str, nodes: list[NodeResult]) -> str:
        subcommand = DbtCommand.subcommand_of(command)
        selector = NodeSelector(subcommand, self._last.values())
        selections = [selector.selection_of(node) for node in nodes]
        exact = [each for each in selections if each is not None]
        if subcommand not in NARROWABLE or len(exact) < len(nodes):
            self._notes.append(f"`{command}` is repeated in full: dbt cannot select only its failed nodes.")
            return command
        if others := selector.indistinguishable(nodes):
            named = ", ".join(node.unique_id for node in others)
            self._notes.append(f"Nodes of the same name as a failed one are executed too: {named}.")
        for node in selector.ambiguous_snapshots(nodes):
            self._notes.append(f"Other snapshots in a file or folder named {node.name} are executed too.")
        return str(DbtCommand.parse(command).with_selection(sorted(set(exact))))


def _is_retried(node: NodeResult) -> bool:
    """Return whether `dbt retry` would execute the node. Hooks run with every command anyway."""
    return (node.failed or node.status == "skipped") and node.kind != "operation"
