"""The warehouse that a run used, as the dbt profile that the OpenLineage library expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


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
