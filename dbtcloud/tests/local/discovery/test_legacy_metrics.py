"""The query `metrics(jobId:)` of prefect-dbt's documentation is answered, for old and for new metrics."""

from shop_artifacts import ORDERS, good, manifest

QUERY = """
{
  metrics(jobId: 123) {
    uniqueId name packageName tags label runId description type sql timestamp timeGrains dimensions meta
    resourceType filters { field operator value } model { name }
  }
}
"""
OLD = {
    "name": "total_revenue",
    "package_name": "tpch",
    "label": "Total Revenue ($)",
    "calculation_method": "sum",
    "expression": "net_item_sales_amount",
    "timestamp": "order_date",
    "time_grains": ["day", "week", "month"],
    "dimensions": ["status_code", "priority_code"],
    "filters": [{"field": "status", "operator": "=", "value": "'paid'"}],
    "model": "ref('tpch', 'fct_orders')",
}
NEW = {
    "name": "sales",
    "package_name": "shop",
    "type": "simple",
    "type_params": {"measure": {"name": "total"}},
    "config": {"tags": ["finance"], "meta": {"owner": "ana"}},
    "depends_on": {"nodes": ["semantic_model.shop.orders"]},
}
SEMANTIC_MODEL = {
    "name": "orders",
    "defaults": {"agg_time_dimension": "day"},
    "measures": [{"name": "total", "agg": "sum", "expr": "price * quantity"}],
    "dimensions": [
        {"name": "day", "type": "time", "type_params": {"time_granularity": "day"}},
        {"name": "country", "type": "categorical"},
    ],
    "depends_on": {"nodes": [ORDERS]},
}


def metrics(shop, *, semantic_models=None, **metrics):
    project = {**manifest(), "metrics": metrics, "semantic_models": semantic_models or {}}
    run_id = shop.built(manifest=project, run_results=good())
    return run_id, shop.ask(QUERY.replace("123", str(shop.job_id)))["metrics"]


def test_a_metric_of_a_model_is_as_it_was(shop):
    run_id, found = metrics(shop, **{"metric.tpch.total_revenue": OLD})
    assert found == [
        {
            "uniqueId": "metric.tpch.total_revenue",
            "name": "total_revenue",
            "packageName": "tpch",
            "tags": [],
            "label": "Total Revenue ($)",
            "runId": run_id,
            "description": "",
            "type": "sum",
            "sql": "net_item_sales_amount",
            "timestamp": "order_date",
            "timeGrains": ["day", "week", "month"],
            "dimensions": ["status_code", "priority_code"],
            "meta": {},
            "resourceType": "metric",
            "filters": OLD["filters"],
            "model": {"name": "fct_orders"},
        }
    ]


def test_a_metric_of_today_takes_them_from_its_semantic_model(shop):
    _, (found,) = metrics(
        shop,
        semantic_models={"semantic_model.shop.orders": SEMANTIC_MODEL},
        **{"metric.shop.sales": NEW},
    )
    assert {name: found[name] for name in ("type", "sql", "timestamp", "timeGrains", "dimensions")} == {
        "type": "sum",
        "sql": "price * quantity",
        "timestamp": "day",
        "timeGrains": ["day"],
        "dimensions": ["country"],
    }
    assert (found["model"], found["tags"], found["meta"]) == (
        {"name": "orders"},
        ["finance"],
        {"owner": "ana"},
    )


def test_an_odd_metric_has_nulls(shop):
    odd = {"type_params": 5, "filters": "x", "depends_on": None, "config": [], "tags": "ab", "model": None}
    _, (found,) = metrics(shop, **{"metric.shop.odd": odd})
    assert (found["type"], found["sql"], found["model"]) == (None, None, None)
    assert (found["filters"], found["tags"]) == ([], [])


def test_a_job_without_a_run_is_an_error(shop):
    answer = shop.post("{ metrics(jobId: 999) { name } }").json()
    assert "Job 999 has no finished run" in answer["errors"][0]["message"]
