"""What users of dagster-dbt write: it says as JSON what Dagster made of the workspace at an address."""

import json
import os

from dagster import AssetExecutionContext, materialize
from dagster_dbt.cloud_v2.asset_decorator import dbt_cloud_assets
from dagster_dbt.cloud_v2.resources import DbtCloudCredentials, DbtCloudWorkspace

workspace = DbtCloudWorkspace(
    credentials=DbtCloudCredentials(account_id=1, token=os.environ["TOKEN"], access_url=os.environ["URL"]),
    project_id=1,
    environment_id=1,
)


@dbt_cloud_assets(workspace=workspace)
def bakery(context: AssetExecutionContext, dbt_cloud: DbtCloudWorkspace):
    yield from dbt_cloud.cli(["build", "--exclude", "tag:slow"], context=context).wait()


if __name__ == "__main__":
    done = materialize([bakery], resources={"dbt_cloud": workspace}, raise_on_error=False)
    told = {
        "success": done.success,
        "materialized": sorted(
            event.asset_key.path[-1] for event in done.get_asset_materialization_events() if event.asset_key
        ),
        "checks": [check.passed for check in done.get_asset_check_evaluations()],
    }
    print(json.dumps(told))  # noqa: T201 - the answer
