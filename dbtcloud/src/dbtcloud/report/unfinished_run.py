"""Finds what a run that did not succeed has left to do, step by step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from dbtcloud.artifacts.batches import Batch
from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run, Step
from dbtcloud.client.run_status import RunStatus
from dbtcloud.report.dbt_command import DbtCommand
from dbtcloud.report.project_facts import ProjectFacts
from dbtcloud.report.step_retry import StepRetry

# dbt Cloud adds these to a job's own commands, and adds them to the next run again.
_AUTOMATIC = frozenset({"deps", "docs generate", "source freshness", "freshness"})

# dbt 2.0 ends its log with "Summary: 4 total | 2 success | 1 error | 1 skipped".
_SUMMARY = re.compile(r"Summary: \d+ total(?P<counts>.*)")
_UNFINISHED_LABELS = frozenset({"error", "skipped", "canceled"})


def _configured_commands(run: Run) -> list[str]:
    """Return the commands that the run had to execute: its trigger's, or else its job's as they are now."""
    own = (run.data.get("trigger") or {}).get("steps_override")
    return list(own or (run.data.get("job") or {}).get("execute_steps") or ())


class UnfinishedRun:
    """The steps of a run that did not succeed.

    Args:
        run: The run with its steps, its trigger and its job (`include_related`).
        results: The nodes of each step that wrote `run_results.json`, by the step's index.
        original: The command that a step `dbt retry` of the run repeated.
        facts: What is known of the project.

    Attributes:
        nodes: The nodes that `commands` executes again.
        notes: Sentences about where `commands` is not exact.
    """

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
        self.nodes: list[NodeResult] = []
        self.notes: list[str] = []

    def commands(self) -> Iterator[str]:
        """Yield the commands for what failed, then those that were not reached."""
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
            self.notes.append(
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
        self.notes.append(
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
            if (logged := _logged_failures(step)) > len(failed):
                self.notes.append(
                    f"`{command}` is repeated in full: of {logged} nodes that failed or were skipped, the "
                    f"results of step {step.index} name {len(failed)}."
                )
                self.nodes += failed
                yield command
                return
        left = list({node.unique_id: node for each in failed for node in self._left_of(step, each)}.values())
        self.nodes += left
        retry = StepRetry(command, self._last.values(), self._facts)
        yield from retry.commands(left)
        self.notes += retry.notes

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


def _logged_failures(step: Step) -> int:
    """Return how many nodes failed or were skipped in a step, as dbt 2.0 logs it, or 0.

    dbt 2.0 has written results without some of these nodes (dbt-fusion issue 1130).
    """
    found = _SUMMARY.search("\n".join(step.log_lines))
    counts = re.findall(r"(\d+) (\w+)", found["counts"]) if found else []
    return sum(int(count) for count, label in counts if label in _UNFINISHED_LABELS)


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
