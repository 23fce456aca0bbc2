"""Simulated runs: runs that follow a script by the clock, without a process."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from dbtcloud.local.model.clock import SECOND
from dbtcloud.local.model.records import RunRecord, Status, StepRecord

_BUILDING = re.compile(r"`dbt (build|run|test|seed|snapshot)\b")
_NO_RESULTS = {
    "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"},
    "results": [],
    "elapsed_time": 0.0,
    "args": {},
}


@dataclass(frozen=True, slots=True)
class SimulatedStep:
    """A step of a script that takes `seconds` and ends in `outcome` (10, 20 or 30)."""

    name: str
    seconds: float = 0.0
    outcome: int = Status.SUCCESS
    logs: str = ""
    command: str | None = None

    def end_time(self, begins: int) -> int:
        """Return when the step ends if it begins at this time, unless the run ends before."""
        return begins + round(self.seconds * SECOND)


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
    steps: tuple[SimulatedStep, ...] = ()
    artifacts: dict[str, Any] = field(default_factory=dict)

    def instants(self, created_at: int) -> tuple[int, int, int]:
        """Return when a run leaves the queue, starts and finishes, in microseconds."""
        dequeued = created_at + round(self.queued * SECOND)
        started = dequeued + round(self.starting * SECOND)
        return dequeued, started, started + round(self.running * SECOND)


def parse_script(document: Any) -> Script:
    """Return the script in a seed document.

    Raises:
        ValueError: the script is not valid.
    """
    known = _known_fields(document, Script, "pretend")
    steps = tuple(
        SimulatedStep(**_known_fields(step, SimulatedStep, "steps")) for step in known.get("steps") or ()
    )
    script = Script(**{**known, "steps": steps, "artifacts": _artifacts(known.get("artifacts"), steps)})
    _check_outcomes([script.outcome, *(step.outcome for step in steps)])
    _check_seconds([script.queued, script.starting, script.running, *(step.seconds for step in steps)])
    return script


def steps_at(run: RunRecord, script: Script, now: int) -> Iterator[StepRecord]:
    """Yield the steps that have started by `now`, with their current status."""
    if run.started_at is None:
        return
    last = min(now, run.finished_at if run.finished_at is not None else now)
    begins = run.started_at
    for index, script_step in enumerate(script.steps, start=1):
        if begins > last:
            return
        yield _step(run, index, script_step, begins, now)
        begins = script_step.end_time(begins)


def _artifacts(given: Any, steps: Iterable[SimulatedStep]) -> dict[str, Any]:
    if not isinstance(given, Mapping | None):
        raise ValueError(f"'artifacts' is {given!r}. Give an object that maps paths to contents.")  # noqa: TRY004 - as below
    built = any(step.outcome == Status.SUCCESS and _BUILDING.search(step.name) for step in steps)
    return {**({"run_results.json": _NO_RESULTS} if built else {}), **(given or {})}


def _step(run: RunRecord, index: int, script_step: SimulatedStep, begins: int, now: int) -> StepRecord:
    ends = script_step.end_time(begins)
    end = ends if run.finished_at is None else min(ends, run.finished_at)
    if end > now:
        status = Status.RUNNING
    else:
        status = Status(script_step.outcome if end == ends else run.outcome or Status.CANCELLED)
    return StepRecord(
        run_id=run.id,
        account_id=run.account_id,
        index=index,
        name=script_step.name,
        status=status,
        command=script_step.command,
        started_at=begins,
        finished_at=end if status.finished else None,
        logs=script_step.logs,
    )


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
