"""What became of a step's nodes, in the statuses that the OpenLineage library knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dbtcloud.artifacts.json_values import Json, as_mapping, as_number, as_text, as_time
from dbtcloud.artifacts.run_results import FAILED_STATUSES
from dbtcloud.artifacts.schema import InvalidArtifact

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

_KINDS = ("model.", "snapshot.", "test.")
"""Unique ids of the nodes that the library tells of begin so."""

_SUCCESSFUL = frozenset({"success", "pass", "warn"})
_COUNTS = frozenset({"rows_affected", "bytes_processed"})
"""What the library counts by of an adapter's response."""


def library_results(run_results: Json, log: Logger) -> list[dict[str, Any]]:
    """The results that OpenLineage is told of, as the library reads them; those given are not changed.

    A model of which some batches failed ("partial success") has failed, as for dbt itself, and so has one
    with a "runtime error"; a model with a warning is there. What dbt did not run is no run for OpenLineage:
    nodes skipped, with nothing to do ("no-op"), or reused from an earlier run, whose events tell of the data.
    Nor is anything made up for statuses that are not known. The log counts all these by status. The library
    by itself drops what it does not know, and takes a test that did not run for a failed one.

    Args:
        run_results: A `run_results.json`.
        log: Told of what is left out.

    Raises:
        InvalidArtifact: If it has no list of results.
    """
    results = run_results.get("results")
    if not isinstance(results, list):
        raise InvalidArtifact("run-results", "It has no list of results")
    known = [each for each in map(as_mapping, results) if as_text(each.get("unique_id")).startswith(_KINDS)]
    told = [(each, _library_status(each["unique_id"], as_text(each.get("status")))) for each in known]
    left_out = Counter(as_text(each.get("status")) or "unknown" for each, status in told if status is None)
    if left_out:
        counted = ", ".join(f"{count} {status}" for status, count in left_out.most_common())
        log.info("OpenLineage is told nothing of nodes that dbt did not run, by status: %s.", counted)
    return [_readable(each, status) for each, status in told if status is not None]


def _library_status(unique_id: str, status: str) -> str | None:
    """The library's word for what became of a node; None where it did not run, or nobody knows."""
    if status in FAILED_STATUSES:
        return "error"
    if status not in _SUCCESSFUL:
        return None
    if unique_id.startswith("test."):
        return "warn" if status == "warn" else "pass"
    return "success"


def _readable(result: Json, status: str) -> dict[str, Any]:
    """The result without what the library stumbles over: counts and times that are none."""
    response = as_mapping(result.get("adapter_response"))
    counted = {
        name: each for name, each in response.items() if name not in _COUNTS or as_number(each) is not None
    }
    return {**result, "status": status, "adapter_response": counted, "timing": list(_timing(result))}


def _timing(result: Json) -> Iterator[Json]:
    """When it was executed; of a node that was cut off one of the times may be missing."""
    phases = result.get("timing")
    for phase in map(as_mapping, phases if isinstance(phases, list) else []):
        times = [time for time in (phase.get("started_at"), phase.get("completed_at")) if as_time(time)]
        if times:
            yield {"name": as_text(phase.get("name")), "started_at": times[0], "completed_at": times[-1]}
