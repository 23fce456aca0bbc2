"""Prepare what dbt wrote for the OpenLineage library: results, catalogs and the warehouse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dbtcloud.artifacts.json_values import Json, as_mapping, as_mappings, as_number, as_text, as_time
from dbtcloud.artifacts.run_results import FAILED_STATUSES
from dbtcloud.artifacts.schema import InvalidArtifact

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

_KINDS = ("model.", "snapshot.", "test.")  # the nodes that the library makes events of

_SUCCESSFUL = frozenset({"success", "pass", "warn"})
_COUNTS = frozenset({"rows_affected", "bytes_processed"})  # what the library reads of an adapter's response


def library_results(run_results: Json, log: Logger) -> list[dict[str, Any]]:
    """Return copies of the results that the library makes events of.

    A model with "partial success" or "runtime error" has failed, as dbt itself counts it. A model with a
    warning was built. Nodes that dbt did not run are left out, and so are nodes with an unknown status: those
    that were skipped, had nothing to do ("no-op"), or were reused from an earlier run, which has emitted its
    own events. Without this, the library would drop statuses that it does not know, and show a test that did
    not run as failed.

    Args:
        run_results: A `run_results.json`.
        log: Gets the number of nodes that are left out, by status.

    Raises:
        InvalidArtifact: If it has no list of results.
    """
    results = run_results.get("results")
    if not isinstance(results, list):
        raise InvalidArtifact("run-results", "It has no list of results")
    known = [each for each in map(as_mapping, results) if as_text(each.get("unique_id")).startswith(_KINDS)]
    statuses = [(each, _library_status(each["unique_id"], as_text(each.get("status")))) for each in known]
    left_out = Counter(
        as_text(each.get("status")) or "unknown" for each, status in statuses if status is None
    )
    if left_out:
        counted = ", ".join(f"{count} {status}" for status, count in left_out.most_common())
        log.info("No OpenLineage events of nodes that dbt did not run, by status: %s.", counted)
    return [_readable(each, status) for each, status in statuses if status is not None]


def _library_status(unique_id: str, status: str) -> str | None:
    """Return the library's status of a node, or None if the node did not run or its status is unknown."""
    if status in FAILED_STATUSES:
        return "error"
    if status not in _SUCCESSFUL:
        return None
    if unique_id.startswith("test."):
        return "warn" if status == "warn" else "pass"
    return "success"


def _readable(result: Json, status: str) -> dict[str, Any]:
    """Return the result without counts and times that the library cannot read."""
    response = as_mapping(result.get("adapter_response"))
    counted = {
        name: each for name, each in response.items() if name not in _COUNTS or as_number(each) is not None
    }
    return {**result, "status": status, "adapter_response": counted, "timing": list(_timing(result))}


def _timing(result: Json) -> Iterator[Json]:
    """Yield the times of a result. If a node was interrupted and has only one time, that counts as both."""
    phases = result.get("timing")
    for phase in map(as_mapping, phases if isinstance(phases, list) else []):
        times = [time for time in (phase.get("started_at"), phase.get("completed_at")) if as_time(time)]
        if times:
            yield {"name": as_text(phase.get("name")), "started_at": times[0], "completed_at": times[-1]}


def library_catalog(catalog: Json, log: Logger) -> dict[str, Any]:
    """Return a copy of a catalog with its tables' columns and counts.

    A column without a type gets the type "". Without the column, lineage would show it as dropped.

    Args:
        catalog: A `catalog.json`.
        log: Gets a warning with the number of columns without a type.
    """
    sections = {section: _tables(as_mappings(catalog.get(section))) for section in ("nodes", "sources")}
    tables = [table for section in sections.values() for table in section.values()]
    untyped = sum(not column["type"] for table in tables for column in table["columns"].values())
    if untyped:
        log.warning("The OpenLineage events have no type for %d columns: catalog.json has none.", untyped)
    return sections


def _tables(tables: Mapping[str, Json]) -> dict[str, dict[str, Any]]:
    """Leave out tables without columns: for them the library takes the columns of the manifest."""
    return {
        unique_id: {"columns": _columns(table["columns"]), "stats": _stats(table)}
        for unique_id, table in tables.items()
        if isinstance(table.get("columns"), Mapping)
    }


def _columns(columns: Json) -> dict[str, dict[str, str]]:
    each = {key: as_mapping(column) for key, column in columns.items()}
    return {
        key: {"name": as_text(column.get("name")) or key, "type": as_text(column.get("type"))}
        for key, column in each.items()
    }


def _stats(table: Json) -> dict[str, Json]:
    counts = as_mappings(table.get("stats"))
    return {name: count for name, count in counts.items() if as_number(count.get("value")) is not None}


def warehouse_profile(connections: Sequence[Json], manifest: Json) -> dict[str, Any]:
    """Return name, adapter and details of the first connection that has details.

    The adapter is the one that dbt itself wrote into the manifest. dbt Cloud spells a host `hostname`
    (API v3, `PostgresConnection`), dbt's profiles spell it `host`.

    Args:
        connections: As dbt Cloud describes them ("Retrieve Project", field `connection`), the best first.
        manifest: The step's `manifest.json`.

    Raises:
        LookupError: If no connection has details.
    """
    for connection in connections:
        if details := connection.get("details") or connection.get("config"):
            adapter = manifest["metadata"].get("adapter_type") or connection["type"]
            name = connection.get("name") or adapter
            return {"name": name, "type": adapter, "details": _profile_details(details)}
    raise LookupError("dbt Cloud returned no details of the connection that the run used")


def _profile_details(details: Json) -> dict[str, Any]:
    host = {"host": details["hostname"]} if details.get("hostname") else {}
    return {**host, **details}
