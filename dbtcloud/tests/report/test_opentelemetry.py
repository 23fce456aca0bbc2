"""A report as OpenTelemetry takes it."""

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client.models import Run
from dbtcloud.report.opentelemetry import node_attributes, run_attributes
from dbtcloud.report.run_report import RunReport

RUN = Run.parse(
    {
        "id": 7,
        "status": 20,
        "job_definition_id": 3,
        "href": "https://x/7/",
        "run_steps": [{"index": 1, "name": "Invoke dbt with `dbt build`", "status": 20}],
    }
)
NODES = (
    NodeResult("model.shop.orders", "error", 1.5, "Database Error", relation="db.shop.orders"),
    NodeResult("model.shop.days", "partial success"),
    NodeResult("model.shop.customers", "no-op", rows=0),
)


def allowed(value):
    return isinstance(value, str | int | float) or all(isinstance(each, str) for each in value)


def test_the_runs_attributes_count_its_nodes_and_name_what_failed():
    found = run_attributes(RunReport(RUN, NODES))
    assert found == {
        "dbt.cloud.run.id": 7,
        "dbt.cloud.job.id": 3,
        "dbt.cloud.run.status": "Error",
        "url.full": "https://x/7/",
        "dbt.nodes.error": 1,
        "dbt.nodes.partial_success": 1,
        "dbt.nodes.no_op": 1,
        "dbt.nodes": 3,
        "dbt.nodes_failed": ["model.shop.orders", "model.shop.days"],
        "dbt.steps_failed": ["Invoke dbt with `dbt build`"],
    }
    assert all(map(allowed, found.values()))


def test_a_nodes_attributes_leave_out_what_is_not_known():
    assert node_attributes(NODES[0]) == {
        "dbt.node.id": "model.shop.orders",
        "dbt.node.status": "error",
        "dbt.node.seconds": 1.5,
        "dbt.node.message": "Database Error",
        "dbt.node.relation": "db.shop.orders",
    }
    assert node_attributes(NODES[2])["dbt.node.rows"] == 0
