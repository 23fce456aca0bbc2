"""Run a job, fetch one of its artifacts, and read it."""

import json
from pathlib import Path
from tempfile import gettempdir

from airflow.sdk import DAG, task

from airflow_dbt_cloud.operators.dbt import DbtCloudGetJobRunArtifactOperator, DbtCloudRunJobOperator


@task
def count_models(manifest: str) -> int:
    """Return the number of models in the manifest."""
    nodes = json.loads(Path(manifest).read_text())["nodes"].values()
    return sum(node["resource_type"] == "model" for node in nodes)


with DAG("fetch_artifact", schedule=None, tags=["dbt"]):
    run = DbtCloudRunJobOperator(task_id="build", job_id=1, check_interval=2, timeout=600)
    fetch = DbtCloudGetJobRunArtifactOperator(
        task_id="fetch",
        run_id=run.output,
        path="manifest.json",
        output_file_name=f"{gettempdir()}/manifest_{{{{ run_id }}}}.json",
    )
    count_models(fetch.output)
