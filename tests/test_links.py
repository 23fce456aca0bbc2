"""The link on a task's page leads to the run."""

from airflow.sdk import DAG
from airflow.serialization import serialized_objects

from airflow_dbt_cloud.links import DbtCloudRunJobOperatorLink
from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator


def test_the_web_page_finds_the_runs_address_where_it_looks_for_it(run_dag, jobs):
    """The page reads the XCom of the link's key and nothing else."""
    with DAG("links", schedule=None) as dag:
        operator = DbtCloudRunJobOperator(task_id="run", job_id=jobs.instant)
    xcoms = run_dag(dag).xcoms("run")
    (link,) = operator.operator_extra_links
    assert xcoms[link.xcom_key] == jobs.runs()[0]["href"]


def test_a_task_that_started_no_run_leads_nowhere(run_dag, jobs):
    with DAG("leads_nowhere", schedule=None) as dag:
        DbtCloudRunJobOperator(task_id="run", job_id="no number")
    assert run_dag(dag).xcoms("run").get("job_run_url") in (None, "")


def test_the_link_keeps_its_name():
    link = DbtCloudRunJobOperatorLink()
    assert (link.name, link.xcom_key) == ("Monitor Job Run", "job_run_url")


def test_the_link_is_stored_with_its_dag():
    with DAG("stored", schedule=None) as dag:
        DbtCloudRunJobOperator(task_id="run", job_id=1)
        DbtCloudRunJobOperator.partial(task_id="mapped").expand(job_id=[1, 2])
    writer = getattr(serialized_objects, "DagSerialization", serialized_objects.SerializedDAG)
    tasks = [task["__var"] for task in writer.to_dict(dag)["dag"]["tasks"]]
    assert [task.get("_operator_extra_links") for task in tasks] == [{"Monitor Job Run": "job_run_url"}] * 2
