"""The recipes for Prefect and Dagster run a job once."""

import pytest

from recipe_program import RECIPES

pytestmark = [pytest.mark.extensive, pytest.mark.timeout(600)]

PRETEND = {"artifacts": {"manifest.json": {"nodes": {"model.shop.orders": {}}}}}


@pytest.fixture
def job(dbt_cloud):
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": PRETEND}])
    return dbt_cloud


def test_a_prefect_flow_starts_one_run_although_a_task_is_retried(job, run):
    job.control.add_fault("status", status=401, route="*/runs/*", method="GET", count=1)
    settings = {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180", "DO_NOT_TRACK": "1"}
    done = run("orchestrators", RECIPES / "prefect_flow.py", "70", **settings)
    assert done.returncode == 0, done.stderr
    assert "succeeded" in done.stdout
    assert job.control.counters()["runs_created"] == 1


def test_a_dagster_op_runs_a_job_and_reads_its_manifest(job, run):
    done = run("orchestrators", RECIPES / "dagster_job.py", "70")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1 nodes"
    assert job.control.counters()["runs_created"] == 1
