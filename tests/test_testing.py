"""The fixtures work in a project of somebody else's."""

import subprocess
import sys

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

CONFTEST = 'pytest_plugins = ["airflow_dbt_cloud.testing"]\n'
TESTS = """
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator


def test_a_job_of_ones_own_is_run(dbt_cloud):
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {"outcome": 10}}])
    run = DbtCloudHook().trigger_job_run(job_id=70, cause="A test").json()["data"]
    assert DbtCloudHook().get_job_run_status(run["id"]) == 10
    assert dbt_cloud.control.counters()["runs_created"] == 1


def test_what_a_test_did_is_gone_in_the_next(dbt_cloud):
    assert [job["id"] for job in DbtCloudHook().list_jobs()[0].json()["data"] if job["id"] == 70] == []
    assert dbt_cloud.control.counters()["runs_created"] == 0
"""


def test_a_project_needs_one_line_to_use_them(tmp_path):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_nightly.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_connection_leads_to_the_local_dbt_cloud(dbt_cloud):
    connected, said = DbtCloudHook().test_connection()
    assert connected, said
    assert DbtCloudHook().connection.login == "1"
    assert dbt_cloud.token not in said
