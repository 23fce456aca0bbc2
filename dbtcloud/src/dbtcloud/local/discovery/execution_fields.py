"""Fields about the execution of a node and the freshness of a source."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dbtcloud.local.discovery.nodes import DiscoveryNode, Result
from dbtcloud.local.model.clock import parse_instant

_PHASES = ("compile", "execute")
_FRESHNESS = {"pass": "Pass", "warn": "Warn", "error": "Error", "runtime error": "Error"}


def javascript_time(text: str | None) -> str | None:
    """Format a time as JavaScript's `Date` does, with milliseconds and `Z`."""
    try:
        instant = parse_instant(text or "")
    except ValueError:
        return None
    second = datetime.fromtimestamp(instant // 1_000_000, UTC)
    return f"{second:%Y-%m-%dT%H:%M:%S}.{instant // 1_000 % 1_000:03}Z"


def _phases(result: Result | None) -> dict[str, Any]:
    """Return the start and end times of compiling and executing."""
    return {
        f"{phase}{name}": javascript_time(result.timing(phase, end)) if result else None
        for phase in _PHASES
        for name, end in (("StartedAt", "started_at"), ("CompletedAt", "completed_at"))
    }


def run_info(result: Result | None) -> dict[str, Any]:
    """Write a result as `job` shows it: flat, related what the node is."""
    if result is None:
        return {"skip": None, **_phases(None)}
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


def execution_info(node: DiscoveryNode) -> dict[str, Any]:
    """Return `executionInfo`: the last run, the last good run, and the times of one of them."""
    last, success = node.last, node.success
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


def freshness(node: DiscoveryNode) -> dict[str, Any]:
    """Return the result of the last `dbt source freshness` for a source."""
    last = node.last
    facts, found = (last.facts, last.body) if last else (None, {})
    return {
        "freshnessChecked": last is not None,
        "freshnessStatus": freshness_status(node) if last else None,
        "freshnessRunId": facts.run_id if facts else None,
        "freshnessJobDefinitionId": facts.job_id if facts else None,
        "freshnessRunGeneratedAt": javascript_time(facts.generated_at) if facts else None,
        "maxLoadedAt": javascript_time(found.get("max_loaded_at")),
        "maxLoadedAtTimeAgoInS": found.get("max_loaded_at_time_ago_in_s"),
        "snapshottedAt": javascript_time(found.get("snapshotted_at")),
        "criteria": criteria(node),
    }


def freshness_status(node: DiscoveryNode) -> str:
    """Return the `FreshnessStatus` of the last check of a source."""
    return _FRESHNESS.get(node.last.status, "Unknown") if node.last else "Unknown"


def criteria(node: DiscoveryNode) -> dict[str, Any]:
    """Return the ages from which a source is a warning or an error."""
    limits = node.body.get("freshness") or {}
    return {
        name: _limit(limits.get(key))
        for name, key in (("warnAfter", "warn_after"), ("errorAfter", "error_after"))
    }


def _limit(limit: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not limit or limit.get("count") is None:
        return None
    return {"count": limit["count"], "period": limit.get("period")}
