"""What became of a step's nodes, in the statuses that the OpenLineage library knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dbtcloud.artifacts.fields import Json, amount, mapping, moment, text
from dbtcloud.artifacts.run_results import FAILED
from dbtcloud.artifacts.schema import NotThatArtifact

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

KINDS = ("model.", "snapshot.", "test.")
"""Unique ids of the nodes that the library tells of begin so."""

GOOD = frozenset({"success", "pass", "warn"})
COUNTS = frozenset({"rows_affected", "bytes_processed"})
"""What the library counts by of an adapter's response."""


def told_results(run_results: Json, log: Logger) -> list[dict[str, Any]]:
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
        NotThatArtifact: If it has no list of results.
    """
    results = run_results.get("results")
    if not isinstance(results, list):
        raise NotThatArtifact("run-results", "It has no list of results")
    known = [each for each in map(mapping, results) if text(each.get("unique_id")).startswith(KINDS)]
    told = [(each, told_status(each["unique_id"], text(each.get("status")))) for each in known]
    if left_out := Counter(text(each.get("status")) or "unknown" for each, status in told if status is None):
        counted = ", ".join(f"{count} {status}" for status, count in left_out.most_common())
        log.info("OpenLineage is told nothing of nodes that dbt did not run, by status: %s.", counted)
    return [_readable(each, status) for each, status in told if status is not None]


def told_status(unique_id: str, status: str) -> str | None:
    """The library's word for what became of a node; None where it did not run, or nobody knows."""
    if status in FAILED:
        return "error"
    if status not in GOOD:
        return None
    if unique_id.startswith("test."):
        return "warn" if status == "warn" else "pass"
    return "success"


def _readable(result: Json, status: str) -> dict[str, Any]:
    """The result without what the library stumbles over: counts and times that are none."""
    response = mapping(result.get("adapter_response"))
    counted = {
        name: each for name, each in response.items() if name not in COUNTS or amount(each) is not None
    }
    return {**result, "status": status, "adapter_response": counted, "timing": list(_timing(result))}


def _timing(result: Json) -> Iterator[Json]:
    """When it was executed; of a node that was cut off one of the times may be missing."""
    phases = result.get("timing")
    for phase in map(mapping, phases if isinstance(phases, list) else []):
        times = [time for time in (phase.get("started_at"), phase.get("completed_at")) if moment(time)]
        if times:
            yield {"name": text(phase.get("name")), "started_at": times[0], "completed_at": times[-1]}
