"""Use the client in a task of your own: run a job once, and read its report."""

from airflow.sdk import DAG, get_current_context, task

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook


@task(retries=2)
def run_and_count() -> dict[str, int]:
    """Run the job once, whatever the number of tries, and return how many nodes ended with which status."""
    context = get_current_context()
    key = f"{context['dag'].dag_id} {context['run_id']} {context['task'].task_id}"
    with DbtCloudHook().client() as client:
        run = client.jobs.run(1, cause=f"Started by {key}", once_key=key)
        client.runs.wait(run.id, interval=2, timeout=600)
        return dict(client.runs.report(run.id).totals)


with DAG("client_in_a_task", schedule=None, tags=["dbt"]):
    run_and_count()
