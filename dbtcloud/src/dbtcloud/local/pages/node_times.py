"""The execution times of a run's nodes for its page, out of its `run_results.json`."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import RunRecord, StepRecord
from dbtcloud.local.orchestration.artifacts import RunArtifacts
from dbtcloud.local.orchestration.cloud import Cloud

_MAX_BYTES = 32 * 1024**2


@dataclass(frozen=True, slots=True)
class NodeTime:
    """A node that a step has executed: its execution time, and the message of the database."""

    kind: str
    name: str
    status: str
    seconds: float
    message: str


def node_times(cloud: Cloud, run: RunRecord, steps: Iterable[StepRecord]) -> list[NodeTime]:
    """Return the nodes that the run's commands executed, in order, without those that cannot be read."""
    # `dbt docs generate` also writes results, but it only compiles the nodes.
    indexes = [step.index for step in steps if step.command and "docs generate" not in step.command]
    return [node for index in indexes for result in _results(cloud, run, index) for node in _read(result)]


def _results(cloud: Cloud, run: RunRecord, index: int) -> list[Any]:
    try:
        found = RunArtifacts(cloud, run).content("run_results.json", index)
        if isinstance(found, Path):
            found = found.read_bytes() if found.stat().st_size <= _MAX_BYTES else b"{}"
        results = json.loads(found).get("results", [])
    except (ApiException, OSError, ValueError, AttributeError):
        return []
    return results if isinstance(results, list) else []


def _read(result: Any) -> Iterable[NodeTime]:
    if not isinstance(result, dict) or not isinstance(result.get("execution_time", 0), int | float):
        return
    kind, _, name = str(result.get("unique_id", "")).partition(".")
    yield NodeTime(
        kind,
        name.partition(".")[2] or name,
        str(result.get("status", "")),
        float(result.get("execution_time", 0)),
        str(result.get("message") or ""),
    )
