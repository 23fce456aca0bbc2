"""The link on a task's page leads to the run."""

from unittest.mock import MagicMock

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


def test_a_task_that_started_no_run_leads_nowhere_and_names_no_page(run_dag, jobs):
    with DAG("leads_nowhere", schedule=None) as dag:
        DbtCloudRunJobOperator(task_id="run", job_id="no number")
    xcoms = run_dag(dag).xcoms("run")
    assert "job_run_url" not in xcoms
    assert not xcoms.get(DbtCloudRunJobOperatorLink().xcom_key)


def test_the_page_is_there_as_soon_as_the_run_is(jobs):
    """Airflow itself pushes a link only when the task ends."""
    operator = DbtCloudRunJobOperator(task_id="run", job_id=jobs.endless, wait_for_termination=False)
    ti = MagicMock(try_number=1)
    operator.execute({"ti": ti})
    pushed = {call.kwargs["key"]: call.kwargs["value"] for call in ti.xcom_push.call_args_list}
    href = jobs.runs()[0]["href"]
    assert pushed["job_run_url"] == pushed[DbtCloudRunJobOperatorLink().xcom_key] == href


def test_the_link_keeps_its_name():
    link = DbtCloudRunJobOperatorLink()
    assert (link.name, link.xcom_key) == ("Monitor Job Run", "_link_DbtCloudRunJobOperatorLink")


def test_the_link_is_stored_with_its_dag():
    with DAG("stored", schedule=None) as dag:
        DbtCloudRunJobOperator(task_id="run", job_id=1)
        DbtCloudRunJobOperator.partial(task_id="mapped").expand(job_id=[1, 2])
    writer = getattr(serialized_objects, "DagSerialization", serialized_objects.SerializedDAG)
    tasks = [task["__var"] for task in writer.to_dict(dag)["dag"]["tasks"]]
    assert [task.get("_operator_extra_links") for task in tasks] == [
        {"Monitor Job Run": DbtCloudRunJobOperatorLink().xcom_key}
    ] * 2
