"""Decides what a task does with the runs that its earlier tries have started."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Self

from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Run
from dbtcloud.client.run_status import RunStatus


@dataclass(frozen=True, slots=True)
class ReuseDecision:
    """The decision of a try about the runs of earlier tries.

    Attributes:
        adopted: The run to follow, or None to start one.
        reason: Why, for the log.
        to_cancel: Unfinished runs that nobody will follow any more.
        failed: The newest of the task's runs if it ended in error and was requested with the same overrides:
            the one that a retry from failure continues.
    """

    adopted: Run | None
    reason: str
    to_cancel: tuple[Run, ...] = ()
    failed: Run | None = None

    @classmethod
    def of_runs(
        cls,
        marker: Marker,
        runs: Iterable[Run],
        *,
        reuse_finished: bool,
        reuse_unfinished: bool,
        is_only_start: bool = True,
    ) -> Self:
        """Decide what to do with the runs that carry this task's marker.

        An earlier try of the same generation left its run to this one: the task follows it while it is
        running, and takes its success. After a failure the task starts a new run. An earlier generation ended
        when somebody cleared the task: its unfinished runs are cancelled. Runs of this very try stay as they
        are.

        Args:
            marker: The marker of the present try.
            runs: The task's runs.
            reuse_finished: Whether the task may take an earlier try's success.
            reuse_unfinished: Whether the task may follow an earlier try's unfinished run.
            is_only_start: Whether a try of the task starts one run only. Otherwise it may be about to follow
                another run of an earlier try, so only runs with the same overrides are cancelled.
        """
        earlier = [
            (run, theirs) for run, theirs in marked_runs(marker, runs) if theirs.attempt < marker.attempt
        ]
        alike = [(run, theirs) for run, theirs in earlier if theirs.payload == marker.payload]
        to_cancel = tuple(
            run
            for run, theirs in earlier
            if not run.finished
            and (is_only_start or theirs.payload == marker.payload or theirs.generation != marker.generation)
        )
        same = [(run, theirs) for run, theirs in alike if theirs.generation == marker.generation]
        for run, theirs in same[:1]:
            others = tuple(other for other in to_cancel if other.id != run.id)
            started = f"try {theirs.attempt} of this task started it, and it"
            if not run.finished and reuse_unfinished:
                return cls(run, f"{started} is still running", others)
            if run.status == RunStatus.SUCCESS and reuse_finished:
                return cls(run, f"{started} succeeded", others)
        failed = next((run for run, _ in alike[:1] if run.status == RunStatus.ERROR), None)
        return cls(None, "no earlier try of this task left a run to adopt", to_cancel, failed)


def marked_runs(marker: Marker, runs: Iterable[Run]) -> list[tuple[Run, Marker]]:
    """Return the task's runs with their markers, newest first."""
    ours: dict[int, Marker] = {}
    found: list[tuple[Run, Marker]] = []
    for run in sorted(runs, key=lambda run: run.id):
        # A retry carries no marker of its own; it counts as started by whoever started the run it retries.
        theirs = Marker.find(run.cause) or ours.get(run.retried_run_id or 0)
        if theirs and theirs.task == marker.task:
            ours[run.id] = theirs
            found.append((run, theirs))
    return found[::-1]


def failed_before(run_id: int, marker: Marker, runs: Iterable[Run]) -> list[Run]:
    """Return the runs of a task that failed one after the other right before one of its runs, newest first.

    Args:
        run_id: The run.
        marker: A marker of the task.
        runs: The task's runs.
    """
    marked = marked_runs(marker, runs)
    payload = next((theirs.payload for run, theirs in marked if run.id == run_id), None)
    alike = [run for run, theirs in marked if theirs.payload == payload and run.id < run_id]
    return list(takewhile(lambda run: run.status == RunStatus.ERROR, alike))
