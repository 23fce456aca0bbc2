"""What a task does with runs that earlier tries of it have started: a pure decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Run, RunStatus


@dataclass(frozen=True, slots=True)
class ReuseDecision:
    """What is to be done.

    Attributes:
        adopted: The run to go on with, or None to start one.
        reason: Why, for the log.
        superseded: Runs that go on and nobody will wait for any more.
        failed: The newest of the task's runs if it ended in error and was asked for the same: what a retry
            from failure takes up.
    """

    adopted: Run | None
    reason: str
    superseded: tuple[Run, ...] = ()
    failed: Run | None = None


def decide_reuse(
    mark: Marker, runs: Iterable[Run], *, take_finished: bool, take_unfinished: bool, alone: bool = True
) -> ReuseDecision:
    """Decide about the runs that carry this task's mark.

    An earlier try of the same generation left its run to this one: it is waited for while it goes on, and
    its success is ours; after a failure a new run is started. An earlier generation was ended by somebody's
    clear: what still goes on of it is superseded. What this try has started itself is left alone.

    Args:
        mark: The present try's mark.
        runs: The task's runs.
        take_finished: Whether an earlier try's success may be taken.
        take_unfinished: Whether an earlier try's unfinished run may be waited for.
        alone: Whether a try starts one run. Else it may be about to go on with another run of an earlier try,
            so that only what asks for the same is superseded.
    """
    earlier = [(run, theirs) for run, theirs in _marked(mark, runs) if theirs.attempt < mark.attempt]
    alike = [(run, theirs) for run, theirs in earlier if theirs.payload == mark.payload]
    superseded = tuple(
        run
        for run, theirs in earlier
        if not run.finished
        and (alone or theirs.payload == mark.payload or theirs.generation != mark.generation)
    )
    same = [(run, theirs) for run, theirs in alike if theirs.generation == mark.generation]
    for run, theirs in same[:1]:
        left = tuple(other for other in superseded if other.id != run.id)
        if not run.finished and take_unfinished:
            return ReuseDecision(run, f"try {theirs.attempt} of this task started it and it goes on", left)
        if run.status == RunStatus.SUCCESS and take_finished:
            return ReuseDecision(run, f"try {theirs.attempt} of this task started it and it succeeded", left)
    failed = next((run for run, _ in alike[:1] if run.status == RunStatus.ERROR), None)
    return ReuseDecision(None, "no earlier try of this task left a run to go on with", superseded, failed)


def _marked(mark: Marker, runs: Iterable[Run]) -> list[tuple[Run, Marker]]:
    """The task's runs with their marks, newest first; a run that retries one of them carries its mark."""
    ours: dict[int, Marker] = {}
    found: list[tuple[Run, Marker]] = []
    for run in sorted(runs, key=lambda run: run.id):
        theirs = Marker.find(run.cause) or ours.get(run.retried_run_id or 0)
        if theirs and theirs.task == mark.task:
            ours[run.id] = theirs
            found.append((run, theirs))
    return found[::-1]
