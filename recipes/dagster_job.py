"""A Dagster op that runs a dbt Cloud job with dbtcloud alone.

It reads DBT_CLOUD_TOKEN, DBT_CLOUD_ACCOUNT_ID and DBT_CLOUD_HOST.
"""

import sys

from dagster import ConfigurableResource, OpExecutionContext, job, op

from dbtcloud import DbtCloudClient


class DbtCloud(ConfigurableResource):
    """The client as a resource. While a job runs, its schedule is off."""

    job_id: int

    def get_client(self) -> DbtCloudClient:
        """Return a client."""
        return DbtCloudClient(disable_schedule_on_trigger=True)


@op
def run_dbt(context: OpExecutionContext, dbt_cloud: DbtCloud) -> int:
    """Run the job, wait for it, and return how many models its manifest has."""
    with dbt_cloud.get_client() as client:
        output = client.run_job_and_poll(dbt_cloud.job_id, cause="Triggered by Dagster", poll_interval=1)
        output.raise_for_status()
        manifest = output.get_artifact("manifest.json")
    context.log.info("Run %s succeeded", output.run_id)
    return len(manifest["nodes"])


@job
def nightly() -> None:
    """Run dbt."""
    run_dbt()


if __name__ == "__main__":
    done = nightly.execute_in_process(resources={"dbt_cloud": DbtCloud(job_id=int(sys.argv[1]))})
    print(f"{done.output_for_node('run_dbt')} nodes")
