"""The artifacts of a dbt step, in a form that the OpenLineage library can read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbtcloud.artifacts.json_values import Fields, Json
from dbtcloud.artifacts.schema import InvalidArtifact
from dbtcloud.artifacts.statuses import FAILED_STATUSES, normalize_status
from dbtcloud.client.models import Step

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

_KINDS = ("model.", "snapshot.", "test.")  # the nodes that the library makes events of

_SUCCESSFUL = frozenset({"success", "pass", "warn"})
_COUNTS = frozenset({"rows_affected", "bytes_processed"})  # what the library reads of an adapter's response


@dataclass(frozen=True, slots=True)
class StepArtifacts:
    """The artifacts of a dbt step, with the catalog of the whole run if there is one."""

    step: Step
    manifest: dict[str, Any]
    run_results: dict[str, Any]
    catalog: dict[str, Any] | None

    def library_results(self, log: Logger) -> list[dict[str, Any]]:
        """Return copies of the results that the library makes events of.

        A model with "partial success" or "runtime error" has failed, as dbt itself counts it. A model with a
        warning was built. Nodes that dbt did not run are left out, and so are nodes with an unknown status:
        those that were skipped, had nothing to do ("no-op"), or were reused from an earlier run, which has
        emitted its own events. Without this, the library would drop statuses that it does not know, and show
        a test that did not run as failed.

        Args:
            log: Gets the number of nodes that are left out, by status.

        Raises:
            InvalidArtifact: If it has no list of results.
        """
        results = self.run_results.get("results")
        if not isinstance(results, list):
            raise InvalidArtifact("run-results", "It has no list of results")
        known = [each for each in map(Fields, results) if each.text("unique_id").startswith(_KINDS)]
        statuses = [(each, _library_status(each)) for each in known]
        left_out = Counter(_status(each) or "unknown" for each, status in statuses if status is None)
        if left_out:
            counted = ", ".join(f"{count} {status}" for status, count in left_out.most_common())
            log.info("No OpenLineage events of nodes that dbt did not run, by status: %s.", counted)
        return [_readable(each, status) for each, status in statuses if status is not None]

    def warehouse_profile(self, connections: Sequence[Json]) -> dict[str, Any]:
        """Return name, adapter and details of the first connection that has details.

        The adapter is the one that dbt itself wrote into the manifest. dbt Cloud spells a host `hostname`
        (API v3, `PostgresConnection`), dbt's profiles spell it `host`.

        Args:
            connections: As dbt Cloud describes them ("Retrieve Project", field `connection`), the best first.

        Raises:
            LookupError: If no connection has details.
        """
        for connection in connections:
            if details := connection.get("details") or connection.get("config"):
                adapter = self.manifest["metadata"].get("adapter_type") or connection["type"]
                name = connection.get("name") or adapter
                return {"name": name, "type": adapter, "details": _profile_details(details)}
        raise LookupError("dbt Cloud returned no details of the connection that the run used")


def _status(result: Fields) -> str:
    return normalize_status(result.text("status"))


def _library_status(result: Fields) -> str | None:
    """Return the library's status of a node, or None if the node did not run or its status is unknown."""
    status = _status(result)
    if status in FAILED_STATUSES:
        return "error"
    if status not in _SUCCESSFUL:
        return None
    if result.text("unique_id").startswith("test."):
        return "warn" if status == "warn" else "pass"
    return "success"


def _readable(result: Fields, status: str) -> dict[str, Any]:
    """Return the result without counts and times that the library cannot read."""
    response = result.mapping("adapter_response")
    counted = {
        name: each
        for name, each in response.raw.items()
        if name not in _COUNTS or response.number(name) is not None
    }
    return {**result.raw, "status": status, "adapter_response": counted, "timing": list(_timing(result))}


def _timing(result: Fields) -> Iterator[Json]:
    """Yield the times of a result. If a node was interrupted and has only one time, that counts as both."""
    phases = result.get("timing")
    for phase in map(Fields, phases if isinstance(phases, list) else []):
        times = [phase.get(name) for name in ("started_at", "completed_at") if phase.time(name)]
        if times:
            yield {"name": phase.text("name"), "started_at": times[0], "completed_at": times[-1]}


def library_catalog(catalog: Json, log: Logger) -> dict[str, Any]:
    """Return a copy of a catalog with its tables' columns and counts.

    A column without a type gets the type "". Without the column, lineage would show it as dropped.

    Args:
        catalog: A `catalog.json`.
        log: Gets a warning with the number of columns without a type.
    """
    sections = {section: _tables(Fields(catalog).mappings(section)) for section in ("nodes", "sources")}
    tables = [table for section in sections.values() for table in section.values()]
    untyped = sum(not column["type"] for table in tables for column in table["columns"].values())
    if untyped:
        log.warning("The OpenLineage events have no type for %d columns: catalog.json has none.", untyped)
    return sections


def _tables(tables: Mapping[str, Fields]) -> dict[str, dict[str, Any]]:
    """Leave out tables without columns: for them the library takes the columns of the manifest."""
    return {
        unique_id: {"columns": _columns(table.mapping("columns")), "stats": _stats(table)}
        for unique_id, table in tables.items()
        if isinstance(table.get("columns"), Mapping)
    }


def _columns(columns: Fields) -> dict[str, dict[str, str]]:
    each = {key: columns.mapping(key) for key in columns.raw}
    return {
        key: {"name": column.text("name") or key, "type": column.text("type")} for key, column in each.items()
    }


def _stats(table: Fields) -> dict[str, Json]:
    counts = table.mappings("stats")
    return {name: count.raw for name, count in counts.items() if count.number("value") is not None}


def _profile_details(details: Json) -> dict[str, Any]:
    host = {"host": details["hostname"]} if details.get("hostname") else {}
    return {**host, **details}
