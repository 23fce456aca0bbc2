"""What taking a failed run up where it failed means: which nodes, and by which commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run, RunStatus, Step, status_name
from dbtcloud.report.dbt_command import DbtCommand, step_command, subcommand_of
from dbtcloud.report.node_selection import ambiguous_snapshots, indistinguishable_nodes, selector

_AUTOMATIC = frozenset({"deps", "docs generate", "source freshness"})
"""Commands that dbt Cloud adds to a job's own, and adds to a new run again."""

NARROWABLE = frozenset({"build", "run", "test", "seed", "snapshot", "clone"})
"""Commands that take a selection and tell what became of each node."""

_MAX_NODES = 50
"""Nodes that the lines of a plan name."""

_MAX_COMMAND = 2_000
"""Characters of a command in the lines of a plan."""


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What is to be done again of a run.

    Attributes:
        run: The run.
        nodes: Nodes that failed or were skipped because of that, by their last result in the run, and are
            executed again.
        commands: dbt commands that do it: those that failed, for these nodes alone, then those that were not
            reached, as they are. They can be the `steps_override` of a new run.
        notes: What is not as exact as it should be, in words.
    """

    run: Run
    nodes: tuple[NodeResult, ...] = ()
    commands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def make_retry_plan(
    run: Run, results: Mapping[int, Sequence[NodeResult]], *, original: str | None = None
) -> RetryPlan:
    """Work out what is to be done again of a run, as `dbt retry` would, also where dbt Cloud cannot retry it.

    Args:
        run: The run with its steps, its trigger and its job (`include_related`).
        results: The nodes of each step that wrote `run_results.json`, by the step's index.
        original: The command that a step `dbt retry` of the run stands for.
    """
    if not run.finished or run.status == RunStatus.SUCCESS:
        return RetryPlan(run)
    return _Planning(run, results, original).plan()


def _planned_commands(run: Run) -> list[str]:
    """The commands that a run was to execute: of its trigger, else of its job as that is now."""
    own = (run.data.get("trigger") or {}).get("steps_override")
    return list(own or (run.data.get("job") or {}).get("execute_steps") or ())


def plan_log_lines(plan: RetryPlan) -> list[str]:
    """The plan as log lines."""
    if not plan.commands:
        return [_nothing(plan.run), *plan.notes]
    shown = plan.nodes[:_MAX_NODES]
    more = len(plan.nodes) - len(shown)
    return [
        f"Retry plan of run {plan.run.id}: {_count(plan.nodes, 'node')}, {_count(plan.commands, 'command')}.",
        *(f"  {node.status:<8} {node.kind} {node.name}" for node in shown),
        *([f"  … and {more} more"] if more else []),
        "As commands:",
        *(f"  {_cut(command)}" for command in plan.commands),
        *plan.notes,
    ]


def _nothing(run: Run) -> str:
    if not run.finished:
        return f"Run {run.id} has nothing to retry: it goes on."
    if run.status == RunStatus.SUCCESS:
        return f"Run {run.id} has nothing to retry: it ended with {status_name(run.status)}."
    return f"What is left to be done of run {run.id} is not known: none of its dbt commands failed."


def _cut(command: str) -> str:
    if len(command) <= _MAX_COMMAND:
        return command
    return f"{command[:_MAX_COMMAND]}… ({len(command):,} characters)"


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


class _Planning:
    """Goes through the steps of one run."""

    def __init__(self, run: Run, results: Mapping[int, Sequence[NodeResult]], original: str | None) -> None:
        self._run, self._results, self._original = run, results, original
        self._last = {node.unique_id: node for index in sorted(results) for node in results[index]}
        self._nodes: list[NodeResult] = []
        self._notes: list[str] = []

    def plan(self) -> RetryPlan:
        commands = list(self._again())
        return RetryPlan(self._run, tuple(self._nodes), tuple(commands), tuple(self._notes))

    def _again(self) -> Iterator[str]:
        """Commands that failed, then those that were not reached."""
        commands, reached, known = _planned_commands(self._run), 0, True
        for step, command in self._invoked():
            automatic = subcommand_of(command) in _AUTOMATIC
            if command in commands[reached : reached + 1 if automatic else None]:
                reached = commands.index(command, reached) + 1
            elif automatic:
                continue
            else:
                known = False
            if step.status != RunStatus.SUCCESS:
                yield from self._narrowed(step, command)
        if known:
            yield from commands[reached:]
        else:
            self._notes.append(
                "The job's commands are others by now: which of them were still to come is not known."
            )

    def _invoked(self) -> Iterator[tuple[Step, str]]:
        """The steps that called dbt, each with the command that it stands for."""
        for step in self._run.steps:
            command = step_command(step)
            if command is None:
                continue
            if subcommand_of(command) == "retry" and command not in _planned_commands(self._run):
                command = self._original or self._unknown(step)
            yield step, command

    def _unknown(self, step: Step) -> str:
        self._notes.append(f"Step {step.index} took an earlier run up, whose command is not known.")
        return "dbt build"

    def _narrowed(self, step: Step, command: str) -> Iterator[str]:
        """A command that failed, for the nodes that it left to be done; as it is where that is not known."""
        failed = [node for node in self._results.get(step.index, ()) if _is_retried(node)]
        if not failed or step.status == RunStatus.CANCELLED:
            yield command  # it never came to its nodes, or was stopped before it had told of all
            return
        left = list({node.unique_id: node for node in failed if self._last[node.unique_id] is node}.values())
        self._nodes += left
        if left:
            yield self._selecting(command, left)

    def _selecting(self, command: str, nodes: list[NodeResult]) -> str:
        verb = subcommand_of(command)
        selectors = [selector(node, verb) for node in nodes]
        exact = [each for each in selectors if each is not None]
        if verb not in NARROWABLE or len(exact) < len(nodes):
            self._notes.append(f"`{command}` is whole: dbt cannot be told which of its nodes are meant.")
            return command
        if others := indistinguishable_nodes(nodes, self._last.values(), verb):
            named = ", ".join(node.unique_id for node in others)
            self._notes.append(f"dbt cannot tell {named} from others of the same name, and executes it too.")
        for node in ambiguous_snapshots(nodes, self._last.values()):
            self._notes.append(
                f"Snapshots in a file or folder called {node.name} are executed along with it."
            )
        return str(DbtCommand.parse(command).with_selection(sorted(set(exact))))


def _is_retried(node: NodeResult) -> bool:
    """Whether `dbt retry` would execute a node again; hooks come with every command."""
    return (node.failed or node.status == "skipped") and node.kind != "operation"
