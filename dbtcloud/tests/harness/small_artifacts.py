"""The artifacts of a dbt project of one model."""

from typing import Any

SCHEMAS = "https://schemas.getdbt.com/dbt"


def manifest(adapter: str = "duckdb") -> dict[str, Any]:
    """A manifest of one model, `model.shop.orders`."""
    node = {"unique_id": "model.shop.orders", "database": "shop", "schema": "prod", "alias": "orders"}
    columns = {"id": {"name": "id", "description": "Its number"}}
    return {
        "metadata": {"dbt_schema_version": f"{SCHEMAS}/manifest/v12.json", "adapter_type": adapter},
        "nodes": {"model.shop.orders": {**node, "name": "orders", "columns": columns, "config": {}}},
        "sources": {},
        "parent_map": {"model.shop.orders": []},
    }


def run_results(invocation_id: str, status: str = "success") -> dict[str, Any]:
    """Results of `dbt run` on that model."""
    when = {"started_at": "2026-02-03T04:05:06Z", "completed_at": "2026-02-03T04:05:07Z"}
    result = {"unique_id": "model.shop.orders", "status": status, "timing": [{"name": "execute", **when}]}
    version = f"{SCHEMAS}/run-results/v6.json"
    return {
        "metadata": {"dbt_schema_version": version, "invocation_id": invocation_id, "dbt_version": "1.10.1"},
        "args": {"which": "run"},
        "results": [{**result, "adapter_response": {}, "message": None}],
    }


def catalog() -> dict[str, Any]:
    """A catalog with the type of that model's column."""
    columns = {"id": {"name": "id", "type": "BIGINT", "index": 1, "comment": None}}
    metadata = {"type": "BASE TABLE", "schema": "prod", "name": "orders", "database": "shop", "comment": None}
    node = {"metadata": metadata, "columns": columns, "stats": {}, "unique_id": "model.shop.orders"}
    return {"nodes": {"model.shop.orders": node}, "sources": {}}
