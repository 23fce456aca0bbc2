"""A Prefect flow that runs a dbt Cloud job with dbtcloud alone.

It reads DBT_CLOUD_TOKEN, DBT_CLOUD_ACCOUNT_ID and DBT_CLOUD_HOST.
"""

import sys

from prefect import flow, get_run_logger, task

from dbtcloud import DbtCloudClient, DbtCloudCredentials


@task(retries=2, retry_delay_seconds=1)
def run_job(job_id: int, key: str) -> int:
    """Run the job and return the run's id. A retry of the task finds the run that an earlier one started."""
    with DbtCloudClient.from_env() as client:
        run = client.jobs.run(job_id, cause="Started by Prefect", once_key=key)
        finished = client.runs.wait(run.id, interval=1, timeout=3600)
        get_run_logger().info("Run %s: %s", finished.id, finished.status_humanized)
        if not finished.is_success:
            raise finished.error()
        return finished.id


@task
def count_projects() -> int:
    """Return how many projects the account has, over credentials as prefect-dbt has them."""
    with DbtCloudCredentials.from_env().get_administrative_client() as client:
        return client.projects.list().total


@flow
def nightly(job_id: int) -> int:
    """Run the job once for this flow run."""
    from prefect.runtime import flow_run

    print(f"{count_projects()} projects")
    return run_job(job_id, key=f"prefect {flow_run.id}")


if __name__ == "__main__":
    print(f"Run {nightly(int(sys.argv[1]))} succeeded")
