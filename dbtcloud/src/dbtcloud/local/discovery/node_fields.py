"""The fields of a node that Discovery composes from several values of dbt's artifacts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dbtcloud.local.discovery.nodes import DiscoveryNode, Json, Result
from dbtcloud.local.model.clock import Timestamp

_FRESHNESS = {"pass": "Pass", "warn": "Warn", "error": "Error", "runtime error": "Error"}
_CONSTRAINT = ("name", "type", "expression", "columns", "warn_unenforced", "warn_unsupported")
_LISTS: Mapping[str, tuple[str, ...]] = {
    "arguments": ("name", "type", "description"),
    "constraints": _CONSTRAINT,
    "dimensions": ("name", "type", "description", "expr", "type_params"),
    "entities": ("name", "type", "description", "expr", "role"),
    "measures": ("name", "agg", "description", "expr", "create_metric"),
}
LIST_FIELDS = frozenset(_LISTS)
"""The fields that `NodeFields.list_entries` reads."""

UNIT_TEST_FIELDS = (
    "model",
    "given",
    "expect",
    "overrides",
    "numGiven",
    "numGivenRows",
    "numExpectRows",
    "thisInputNodeUniqueId",
)
"""The fields that `NodeFields.unit_test` returns."""


class NodeFields:
    """The composed fields of one node.

    Args:
        node: the node.
    """

    def __init__(self, node: DiscoveryNode) -> None:
        self._node = node

    def catalog(self) -> dict[str, Any] | None:
        """Return the catalog entry of the node, or None if no run has written one."""
        if self._node.catalog is None:
            return None
        entry, facts = self._node.catalog.body, self._node.catalog.facts
        stats = self.stats()
        counts = {stat["id"]: stat["value"] for stat in stats if isinstance(stat["value"], int | float)}
        return {
            **self.table_metadata(),
            "uniqueId": self._node.unique_id,
            "columns": self.columns(),
            "stats": stats,
            # Adapters name these statistics in two ways.
            "rowCountStat": _whole(counts.get("row_count", counts.get("num_rows"))),
            "bytesStat": _whole(counts.get("bytes", counts.get("num_bytes"))),
            "runId": facts.run_id,
            "jobDefinitionId": facts.job_id,
            "environmentId": facts.environment_id,
            "runGeneratedAt": javascript_time(facts.generated_at),
            "comment": (entry.get("metadata") or {}).get("comment"),
        }

    def table_metadata(self) -> dict[str, Any]:
        """Return the type, owner and comment of the table, or nulls without a catalog entry."""
        metadata = (self._node.catalog.body.get("metadata") or {}) if self._node.catalog else {}
        return {name: metadata.get(name) for name in ("type", "owner", "comment")}

    def columns(self) -> list[dict[str, Any]] | None:
        """Return the columns of the table in order, with their descriptions in the project."""
        if self._node.catalog is None:
            return None
        # Some warehouses write the names of columns in capitals.
        described = {name.lower(): each for name, each in (self._node.body.get("columns") or {}).items()}
        found = (self._node.catalog.body.get("columns") or {}).values()
        ordered = sorted(found, key=lambda column: column.get("index") or 0)
        return [_column(column, described.get(str(column.get("name")).lower(), {})) for column in ordered]

    def stats(self) -> list[dict[str, Any]]:
        """Return the statistics of the table that the adapter provides."""
        entries = (self._node.catalog.body.get("stats") or {}) if self._node.catalog else {}
        names = ("label", "description", "include", "value")
        return [{"id": key, **{name: stat.get(name) for name in names}} for key, stat in entries.items()]

    def execution_info(self) -> dict[str, Any]:
        """Return the last run, the last good run, and the times of the good one if there is one."""
        last, success = self._node.last, self._node.success
        timed = success or last
        return {
            **_phases(timed),
            "executionTime": timed.body.get("execution_time") if timed else None,
            "runGeneratedAt": javascript_time(timed.facts.generated_at) if timed else None,
            "runElapsedTime": timed.facts.elapsed if timed else None,
            "lastRunId": last.facts.run_id if last else None,
            "lastJobDefinitionId": last.facts.job_id if last else None,
            "lastRunStatus": last.status if last else None,
            "lastRunError": last.error if last else None,
            "lastRunFailures": last.body.get("failures") if last else None,
            "lastRunGeneratedAt": javascript_time(last.facts.generated_at) if last else None,
            "lastSuccessRunId": success.facts.run_id if success else None,
            "lastSuccessJobDefinitionId": success.facts.job_id if success else None,
        }

    def last_result(self) -> dict[str, Any]:
        """Return the newest result of the node as `job` shows it."""
        return {"skip": None, **_phases(None)} if self._node.last is None else _job_result(self._node.last)

    def run_results(self) -> list[dict[str, Any]]:
        """Return all results of the node as `job` shows them, the newest first."""
        return [_job_result(result) for result in self._node.history]

    def freshness(self) -> dict[str, Any]:
        """Return the result of the last `dbt source freshness` for a source."""
        last = self._node.last
        facts, found = (last.facts, last.body) if last else (None, {})
        return {
            "freshnessChecked": last is not None,
            "freshnessStatus": self.freshness_status() if last else None,
            "freshnessRunId": facts.run_id if facts else None,
            "freshnessJobDefinitionId": facts.job_id if facts else None,
            "freshnessRunGeneratedAt": javascript_time(facts.generated_at) if facts else None,
            "maxLoadedAt": javascript_time(found.get("max_loaded_at")),
            "maxLoadedAtTimeAgoInS": found.get("max_loaded_at_time_ago_in_s"),
            "snapshottedAt": javascript_time(found.get("snapshotted_at")),
            "criteria": self.criteria(),
        }

    def freshness_status(self) -> str:
        """Return the `FreshnessStatus` of the last check of a source."""
        return _FRESHNESS.get(self._node.last.status, "Unknown") if self._node.last else "Unknown"

    def criteria(self) -> dict[str, Any]:
        """Return the ages from which a source is a warning or an error."""
        limits = self._node.body.get("freshness") or self._node.config.get("freshness") or {}
        return {
            "warnAfter": _limit(limits.get("warn_after")),
            "errorAfter": _limit(limits.get("error_after")),
        }

    def list_entries(self, field: str) -> list[dict[str, Any]]:
        """Return the entries of one list of the manifest entry, with keys in camel case."""
        entries = self._node.body.get(field) or ()
        return [{_camel(name): entry.get(name) for name in _LISTS[field]} for entry in entries]

    def unit_test(self) -> dict[str, Any]:
        """Return the inputs and the expected rows of a unit test, or nulls for any other test."""
        body = self._node.body if self._node.body["resource_type"] == "unit_test" else {}
        given, expect = body.get("given"), body.get("expect") or {}
        return {
            "model": body.get("model"),
            "given": given,
            "expect": expect or None,
            "overrides": body.get("overrides"),
            "numGiven": None if given is None else len(given),
            "numGivenRows": None if given is None else sum(_count_rows(each) for each in given),
            "numExpectRows": _count_rows(expect) if expect else None,
            "thisInputNodeUniqueId": body.get("this_input_node_unique_id"),
        }


def javascript_time(text: str | None) -> str | None:
    """Return a time in the format of JavaScript's `Date`, or None if the text is not a time."""
    try:
        instant = Timestamp.parse(text or "")
    except ValueError:
        return None
    second = datetime.fromtimestamp(instant // 1_000_000, UTC)
    return f"{second:%Y-%m-%dT%H:%M:%S}.{instant // 1_000 % 1_000:03}Z"


def _phases(result: Result | None) -> dict[str, Any]:
    """Return the start and end times of compiling and executing."""
    return {
        f"{phase}{name}": javascript_time(result.timing(phase, end)) if result else None
        for phase in ("compile", "execute")
        for name, end in (("StartedAt", "started_at"), ("CompletedAt", "completed_at"))
    }


def _job_result(result: Result) -> dict[str, Any]:
    # `job` has the fields of the last result in the node itself, where `environment` has `executionInfo`.
    return {
        **_phases(result),
        "status": result.status,
        "error": result.error,
        "skip": result.status == "skipped",
        "fail": result.status == "fail",
        "warn": result.status == "warn",
        "executionTime": result.body.get("execution_time"),
        "threadId": result.body.get("thread_id"),
        "thread_id": result.body.get("thread_id"),
        "runGeneratedAt": javascript_time(result.facts.generated_at),
        "runElapsedTime": result.facts.elapsed,
        "invocationId": result.facts.invocation_id,
    }


def _column(column: Json, described: Json) -> dict[str, Any]:
    return {
        **{name: column.get(name) for name in ("name", "index", "type", "comment")},
        "description": described.get("description"),
        "tags": list(described.get("tags") or ()),
        "meta": described.get("meta") or {},
    }


def _limit(limit: Json | None) -> dict[str, Any] | None:
    if not limit or limit.get("count") is None:
        return None
    return {"count": limit["count"], "period": limit.get("period")}


def _count_rows(table: Json) -> int:
    # The rows of a file or a SQL query are text in the manifest. They do not count.
    rows = table.get("rows")
    return len(rows) if isinstance(rows, list) else 0


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
