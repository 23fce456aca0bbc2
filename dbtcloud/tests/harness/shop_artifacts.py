"""The artifacts of a dbt project of a shop: two models, a source, a seed, a snapshot, a test, an exposure."""

from typing import Any

ORDERS, STAGED = "model.shop.orders", "model.shop.stg_orders"
RAW, PRICES, HISTORY = "source.shop.raw.orders", "seed.shop.prices", "snapshot.shop.orders_history"
UNIQUE, REPORT, MACRO = "test.shop.unique_orders_id.1a", "exposure.shop.report", "macro.shop.cents"


def entry(name: str, *parents: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "package_name": "shop", "depends_on": {"nodes": list(parents)}, **more}


def table(name: str, *parents: str, **more: Any) -> dict[str, Any]:
    place = {"database": "shop", "schema": "prod", "alias": name, "raw_code": f"select '{name}'"}
    return entry(name, *parents, **place, original_file_path=f"models/{name}.sql", **more)


def manifest(**changed: Any) -> dict[str, Any]:
    """The shop's manifest; `changed` replaces entries by the last part of their ids."""
    nodes = {
        STAGED: table(
            "stg_orders", RAW, PRICES, config={"materialized": "view"}, fqn=["shop", "staging", "stg_orders"]
        ),
        ORDERS: table(
            "orders",
            STAGED,
            config={"materialized": "table"},
            fqn=["shop", "marts", "orders"],
            tags=["nightly"],
            meta={"owner": "ann"},
            description="All orders",
            columns={"id": {"name": "id", "description": "Its number", "tags": ["key"]}},
            access="public",
        ),
        PRICES: table("prices"),
        HISTORY: table("orders_history", ORDERS, config={"strategy": "check", "unique_key": "id"}),
        UNIQUE: entry(
            "unique_orders_id", ORDERS, column_name="id", test_metadata={"name": "unique", "kwargs": {}}
        ),
    }
    nodes = {name: {**body, **changed.get(name.split(".")[2], {})} for name, body in nodes.items()}
    freshness = {"warn_after": {"count": 1, "period": "day"}, "error_after": {"count": None, "period": None}}
    source = entry(
        "orders", source_name="raw", identifier="orders", database="shop", schema="raw", freshness=freshness
    )
    return {
        "metadata": {"project_name": "shop", "adapter_type": "duckdb", "dbt_version": "1.11.2"},
        "nodes": nodes,
        "sources": {RAW: source},
        "exposures": {
            REPORT: entry(
                "report", ORDERS, type="dashboard", owner={"name": "Ann", "email": "ann@example.com"}
            )
        },
        "macros": {MACRO: entry("cents", macro_sql="{% macro cents() %}{% endmacro %}")},
        "groups": {"group.shop.finance": {"name": "finance", "owner": {"name": "Bo"}}},
    }


def result(unique_id: str, status: str = "success", **more: Any) -> dict[str, Any]:
    timing = [
        {"name": "compile", "started_at": "2026-02-03T04:05:05Z", "completed_at": "2026-02-03T04:05:06Z"},
        {"name": "execute", "started_at": "2026-02-03T04:05:06Z", "completed_at": "2026-02-03T04:05:07.25Z"},
    ]
    return {"unique_id": unique_id, "status": status, "timing": timing, "execution_time": 1.5, **more}


def results(*each: dict[str, Any], which: str = "build", at: str = "2026-02-03T04:06:00Z") -> dict[str, Any]:
    metadata = {"generated_at": at, "invocation_id": "an-invocation", "dbt_version": "1.11.2"}
    return {"metadata": metadata, "args": {"which": which}, "results": list(each), "elapsed_time": 9.5}


def good(*more: dict[str, Any]) -> dict[str, Any]:
    """Results of a build of everything."""
    built = [result(name) for name in (PRICES, STAGED, ORDERS, HISTORY)]
    return results(*built, result(UNIQUE, "pass"), *more)
