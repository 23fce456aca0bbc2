"""What users of four other tools write runs here, after imports and framework objects are changed.

The fifth, Airflow's hook, is tested by the official provider's own tests and in the provider's.
"""

import pytest

from dbtcloud import DbtCloudClient, DbtCloudCredentials, run_dbt_cloud_job
from dbtcloud.errors import BadRequest, NotFound, RateLimited, Unprocessable

MANIFEST = {
    "metadata": {"project_name": "tpch"},
    "nodes": {"model.tpch.fct_orders": {"name": "fct_orders", "resource_type": "model"}},
    "metrics": {
        "metric.tpch.total_revenue": {
            "name": "total_revenue",
            "package_name": "tpch",
            "label": "Total Revenue ($)",
            "calculation_method": "sum",
            "expression": "net_item_sales_amount",
            "timestamp": "order_date",
            "time_grains": ["day", "week", "month"],
            "dimensions": ["status_code", "priority_code"],
            "model": "ref('fct_orders')",
        }
    },
}
# As prefect-dbt's documentation shows it.
METRICS = """
{
  metrics(jobId: 123) {
    uniqueId
    name
    packageName
    tags
    label
    runId
    description
    type
    sql
    timestamp
    timeGrains
    dimensions
    meta
    resourceType
    filters {
      field
      operator
      value
    }
    model {
      name
    }
  }
}
"""


@pytest.fixture
def cloud(dbt_cloud, monkeypatch):
    """A dbt Cloud with the jobs that the descriptions name, which the environment names."""
    pretend = {"running": 0, "artifacts": {"manifest.json": MANIFEST}}
    jobs = [
        {"id": number, "name": f"Job {number}", "pretend": pretend, "triggers": {"schedule": True}}
        for number in (123, 1234)
    ]
    dbt_cloud.control.seed(jobs=jobs)
    monkeypatch.setenv("DBT_CLOUD__API_TOKEN", dbt_cloud.token)
    monkeypatch.setenv("DBT_CLOUD__ACCOUNT_ID", "1")
    monkeypatch.setenv("DBT_CLOUD_HOST", dbt_cloud.url)
    return dbt_cloud


@pytest.mark.parametrize(
    ("status", "kind"), [(422, Unprocessable), (404, NotFound), (400, BadRequest), (429, RateLimited)]
)
def test_a_django_backend_lists_projects_triggers_a_job_and_tells_errors_apart(cloud, status, kind):
    base_url, token, account = f"{cloud.url}/api", cloud.token, "1"
    with DbtCloudClient(host=base_url, token=token, account_id=account) as client:
        assert [project.name for project in client.projects.list()] == ["Sample bakery"]
        assert client.jobs.run(123, cause="From Django").cause.startswith("From Django")
        cloud.control.add_fault("status", status=status, route="*/projects/*", retry_after=120)
        with pytest.raises(kind) as caught:
            client.projects.list().all()
        assert caught.value.status == status
        assert getattr(caught.value, "retry_after", 120) == 120


def test_a_dagster_resource_runs_polls_and_reads_an_artifact(cloud):
    schedules = []
    options = {"disable_schedule_on_trigger": True}
    with DbtCloudClient(cloud.token, 1, cloud.url, **options) as dbt_cloud:
        watching = dbt_cloud.with_options(
            on_response=lambda event: schedules.append(event.path) if event.method == "POST" else None
        )
        output = watching.run_job_and_poll(
            job_id=123, cause="Triggered by Dagster", steps_override=["dbt build"], poll_interval=1
        )
        assert (output.is_successful, output.job_id) == (True, 123)
        assert output.run_details["status_humanized"] == "Success"
        assert output.get_artifact("manifest.json")["metadata"] == {"project_name": "tpch"}
        assert output.get_artifact("catalog.json") is None
        assert schedules.count("/api/v2/accounts/1/jobs/123/") == 2  # off, and on again
        assert dbt_cloud.jobs.get(123).scheduled is True


async def test_prefects_credentials_trigger_a_run_and_query_metrics(cloud):
    credentials = DbtCloudCredentials(api_key=cloud.token, account_id=1, domain=cloud.url)
    async with credentials.get_administrative_client() as client:
        run = await client.trigger_job_run(job_id=123)
        run = await client.runs.wait(run.id, interval=1, timeout=60)
    (metric,) = credentials.get_metadata_client().query(METRICS)["data"]["metrics"]
    assert metric["runId"] == run.id
    assert {name: metric[name] for name in ("uniqueId", "label", "type", "sql", "timeGrains", "model")} == {
        "uniqueId": "metric.tpch.total_revenue",
        "label": "Total Revenue ($)",
        "type": "sum",
        "sql": "net_item_sales_amount",
        "timeGrains": ["day", "week", "month"],
        "model": {"name": "fct_orders"},
    }


def test_dlts_function_runs_a_job_with_additional_data(cloud):
    additional_data = {"git_sha": "abcd1234", "schema_override": "custom_schema"}
    status = run_dbt_cloud_job(job_id=1234, data=additional_data, wait_for_outcome=True, wait_seconds=1)
    assert f"Job run status: {status['status_humanized']}" == "Job run status: Success"
    with DbtCloudClient(cloud.token, 1, cloud.url) as client:
        trigger = client.runs.get(status.run_id, include_related=["trigger"]).data["trigger"]
    assert {name: trigger[name] for name in additional_data} == additional_data
