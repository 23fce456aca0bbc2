"""What users of prefect-dbt write: it says as JSON what their flow got from the host that it is given."""

import asyncio
import json
import os
from typing import Any

from prefect import flow
from prefect_dbt.cloud import DbtCloudCredentials, DbtCloudJob
from prefect_dbt.cloud.exceptions import DbtCloudJobRunFailed
from prefect_dbt.cloud.jobs import trigger_dbt_cloud_job_run_and_wait_for_completion
from prefect_dbt.cloud.runs import get_dbt_cloud_run_artifact, list_dbt_cloud_run_artifacts

credentials = DbtCloudCredentials(api_key=os.environ["TOKEN"], account_id=1, domain=os.environ["DOMAIN"])


@flow
async def nightly() -> dict[str, Any]:
    waited = await trigger_dbt_cloud_job_run_and_wait_for_completion(
        dbt_cloud_credentials=credentials, job_id=70, poll_frequency_seconds=1
    )
    of_run = {"dbt_cloud_credentials": credentials, "run_id": waited["id"]}
    results = await get_dbt_cloud_run_artifact(path="run_results.json", **of_run)
    told = {"run": waited, "artifacts": await list_dbt_cloud_run_artifacts(**of_run), "results": results}
    run = await DbtCloudJob(dbt_cloud_credentials=credentials, job_id=70, interval_seconds=1).trigger()
    await run.wait_for_completion()
    told["block"] = await run.fetch_result()
    try:
        await trigger_dbt_cloud_job_run_and_wait_for_completion(
            dbt_cloud_credentials=credentials, job_id=72, poll_frequency_seconds=1
        )
    except DbtCloudJobRunFailed as error:
        told["failed"] = str(error)
    return told


if __name__ == "__main__":
    print(json.dumps(asyncio.run(nightly())))  # noqa: T201 - the answer
