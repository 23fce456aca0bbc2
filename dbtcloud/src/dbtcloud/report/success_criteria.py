"""Decides by its failed nodes whether a run that failed counts as a success."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.run_status import RunStatus
from dbtcloud.report.run_report import RunReport

_TAG = "tag:"
_ITEM = re.compile(r"(tag:)?[^\s:,*+@]+")
_MAX_NAMED = 10  # nodes that a reason names


@dataclass(frozen=True, slots=True)
class SuccessDecision:
    """Whether a run that failed counts as a success.

    Attributes:
        succeeded: Whether it does.
        reason: A sentence that says why.
    """

    succeeded: bool
    reason: str

    @classmethod
    def impossible(cls, why: str) -> Self:
        """Return that the run is a failure, because nothing can be decided."""
        return cls(False, f"fail_on and ignore cannot be applied: {why.rstrip('.')}.")


@dataclass(frozen=True, slots=True)
class SuccessCriteria:
    """The nodes whose failure makes a run a failure.

    A node is given by its name ("orders"), its unique id ("model.shop.orders") or a tag ("tag:nightly").

    Attributes:
        fail_on: Only these nodes count; all of them if empty. A node that was skipped counts, too.
        ignore: These do not count, also if they are in `fail_on`.

    Raises:
        ValueError: If an item is none of the three, which the message names.
    """

    fail_on: Sequence[str] = ()
    ignore: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name, items in (("fail_on", self.fail_on), ("ignore", self.ignore)):
            for item in items:
                if not _ITEM.fullmatch(item):
                    raise ValueError(
                        f"{name} has {item!r}, which is no node. Give a node's name, its unique id such as "
                        "'model.shop.orders', or a tag such as 'tag:nightly'."
                    )

    def decide(
        self, report: RunReport, read_tags: Callable[[], Mapping[str, frozenset[str]]]
    ) -> SuccessDecision:
        """Decide about a run that did not succeed.

        It is a failure if one of the nodes that count has failed, and also if that cannot be decided: the run
        was cancelled, results cannot be read, or a step failed for another reason than its nodes.

        Args:
            report: The run's report.
            read_tags: Returns the tags of each node by unique id. It is called only if they are needed.
        """
        if obstacle := _obstacle(report):
            return SuccessDecision.impossible(obstacle)
        has_tags = any(item.startswith(_TAG) for item in (*self.fail_on, *self.ignore))
        tags = read_tags() if has_tags else {}
        if missing := [item for item in self.fail_on if not _any_matches(item, report.nodes, tags)]:
            return SuccessDecision.impossible(
                f"the run has no result for {', '.join(missing)}, so it may not have been executed"
            )
        counted = [node for node in report.failed if self._counts(node, tags)]
        if self.fail_on:
            counted += [node for node in report.skipped if self._counts(node, tags)]
        if counted:
            return SuccessDecision(False, f"Not ignored: {_named(counted)}.")
        place = report.failed_steps[-1].index
        return SuccessDecision(
            True,
            f"It counts as a success, because these failures do not count: {_named(report.failed)}. "
            f"dbt Cloud has executed no command after step {place}, which failed.",
        )

    def _counts(self, node: NodeResult, tags: Mapping[str, frozenset[str]]) -> bool:
        selected = not self.fail_on or any(_matches(item, node, tags) for item in self.fail_on)
        return selected and not any(_matches(item, node, tags) for item in self.ignore)


def _obstacle(report: RunReport) -> str:
    """Return why it cannot be decided whether the run failed for its nodes alone, or ""."""
    if report.run.status != RunStatus.ERROR:
        return f"the run ended with status {RunStatus.name_of(report.run.status)}"
    if report.gaps:
        return f"not all results can be read. {' '.join(report.gaps).rstrip('.')}"
    with_failures = {report.node_steps.get(node.unique_id) for node in report.failed}
    for step in report.failed_steps:
        if step.index not in with_failures:
            return f"step {step.index}, {step.name}, failed for another reason than a node"
    return "" if report.failed_steps else "no step of the run has failed"


def _any_matches(item: str, nodes: Iterable[NodeResult], tags: Mapping[str, frozenset[str]]) -> bool:
    return any(_matches(item, node, tags) for node in nodes)


def _matches(item: str, node: NodeResult, tags: Mapping[str, frozenset[str]]) -> bool:
    if item.startswith(_TAG):
        return item.removeprefix(_TAG) in tags.get(node.unique_id, ())
    return item in {node.name, node.unique_id}


def _named(nodes: Sequence[NodeResult]) -> str:
    names = [f"{node.kind} {node.name} ({node.status})" for node in nodes[:_MAX_NAMED]]
    more = [f"{len(nodes) - _MAX_NAMED} more"] if len(nodes) > _MAX_NAMED else []
    return ", ".join([*names, *more])
