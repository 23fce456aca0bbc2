"""Simulated runs: runs that follow a script by the clock, without a process."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from dbtcloud.local.model.clock import SECOND
from dbtcloud.local.model.records import RunRecord, Status, StepRecord

_BUILD_STEP = re.compile(r"`dbt (build|run|test|seed|snapshot)\b")
_NO_RESULTS = {
    "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"},
    "results": [],
    "elapsed_time": 0.0,
    "args": {},
}


@dataclass(frozen=True, slots=True)
class _ScriptStep:
    """A step of a script that takes `seconds` and ends in `outcome` (10, 20 or 30)."""

    name: str
    seconds: float = 0.0
    outcome: int = Status.SUCCESS
    logs: str = ""
    command: str | None = None

    def end_time(self, start: int) -> int:
        """Return the end of a step that starts at this time, unless the run ends before it."""
        return start + round(self.seconds * SECOND)

    def record(self, run: RunRecord, index: int, start: int, now: int) -> StepRecord:
        """Return the state of the step at `now`."""
        planned_end = self.end_time(start)
        end = planned_end if run.finished_at is None else min(planned_end, run.finished_at)
        if end > now:
            status = Status.RUNNING
        else:
            # The end of the run also ends a step that would have taken longer.
            status = Status(self.outcome if end == planned_end else run.outcome or Status.CANCELLED)
        return StepRecord(
            run_id=run.id,
            account_id=run.account_id,
            index=index,
            name=self.name,
            status=status,
            command=self.command,
            started_at=start,
            finished_at=end if status.finished else None,
            logs=self.logs,
        )


@dataclass(frozen=True, slots=True)
class Script:
    """The script of a simulated run: the seconds in statuses 1, 2 and 3, and the outcome.

    The first step starts when the run is running, and each other one after the step before it. `artifacts`
    maps paths under `target/` to their content, which is text or JSON. A script with a successful build step
    always has a `run_results.json`.
    """

    queued: float = 0.0
    starting: float = 0.0
    running: float = 0.0
    outcome: int = Status.SUCCESS
    message: str | None = None
    steps: tuple[_ScriptStep, ...] = ()
    artifacts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, document: Any) -> Self:
        """Return the script in a seed document.

        Raises:
            ValueError: the script is not valid.
        """
        known = _known_fields(document, cls, "pretend")
        steps = tuple(
            _ScriptStep(**_known_fields(step, _ScriptStep, "steps")) for step in known.get("steps") or ()
        )
        script = cls(**{**known, "steps": steps, "artifacts": _artifacts(known.get("artifacts"), steps)})
        _check_outcomes([script.outcome, *(step.outcome for step in steps)])
        _check_seconds([script.queued, script.starting, script.running, *(step.seconds for step in steps)])
        return script

    def instants(self, created_at: int) -> tuple[int, int, int]:
        """Return when a run leaves the queue, starts and finishes, in microseconds."""
        dequeued = created_at + round(self.queued * SECOND)
        started = dequeued + round(self.starting * SECOND)
        return dequeued, started, started + round(self.running * SECOND)

    def steps_at(self, run: RunRecord, now: int) -> Iterator[StepRecord]:
        """Yield the steps of a run that have started by `now`, with their current status."""
        if run.started_at is None:
            return
        # A cancelled run ends before its script does.
        last = now if run.finished_at is None else min(now, run.finished_at)
        start = run.started_at
        for index, step in enumerate(self.steps, start=1):
            if start > last:
                return
            yield step.record(run, index, start, now)
            start = step.end_time(start)


def _artifacts(given: Any, steps: Iterable[_ScriptStep]) -> dict[str, Any]:
    if not isinstance(given, Mapping | None):
        raise ValueError(f"'artifacts' is {given!r}. Give an object that maps paths to contents.")  # noqa: TRY004 - as below
    built = any(step.outcome == Status.SUCCESS and _BUILD_STEP.search(step.name) for step in steps)
    return {**({"run_results.json": _NO_RESULTS} if built else {}), **(given or {})}


def _known_fields(document: Any, model: type, where: str) -> dict[str, Any]:
    names = [entry.name for entry in fields(model)]
    if not isinstance(document, dict):
        raise ValueError(f"{where!r} is {document!r}. Give an object with any of {', '.join(names)}.")  # noqa: TRY004 - one kind of error for bad input
    if unknown := sorted(set(document) - set(names)):
        raise ValueError(f"{where!r} has unknown keys {', '.join(unknown)}. Its keys are {', '.join(names)}.")
    return {name: value for name, value in document.items() if value is not None}


def _check_outcomes(outcomes: list[int]) -> None:
    if wrong := [outcome for outcome in outcomes if outcome not in (10, 20, 30)]:
        raise ValueError(
            f"A run or step ends in 10 (success), 20 (error) or 30 (cancelled), not {wrong[0]!r}."
        )


def _check_seconds(seconds: list[float]) -> None:
    if wrong := [value for value in seconds if not isinstance(value, int | float) or value < 0]:
        raise ValueError(f"Durations are seconds >= 0, not {wrong[0]!r}.")
