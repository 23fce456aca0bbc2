"""The fixtures work in another project with Airflow."""

import os
import subprocess
import sys
from collections import Counter
from types import ModuleType

from _pytest.fixtures import FixtureFunctionDefinition

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

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

UNUSED = """
import sys


def test_nothing_of_it_is_loaded():
    heavy = {"airflow", "aiohttp", "requests", "yaml", "dbtcloud.core", "dbtcloud.local"}
    assert "dbtcloud.testing" in sys.modules
    assert not heavy & set(sys.modules)
"""


def run(tmp_path, *options, **variables):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(tmp_path)]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    ).stdout


def test_a_project_needs_no_line_to_use_them(tmp_path):
    (tmp_path / "test_nightly.py").write_text(TESTS)
    said = run(tmp_path)
    assert "2 passed" in said, said


def test_until_it_is_used_it_loads_nothing(tmp_path):
    (tmp_path / "test_unused.py").write_text(UNUSED)
    # Other plugins that are installed here load Airflow themselves.
    said = run(tmp_path, "-p", "dbtcloud.testing", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert "1 passed" in said, said


def test_the_connection_leads_to_the_local_dbt_cloud(dbt_cloud):
    connected, said = DbtCloudHook().test_connection()
    assert connected, said
    assert DbtCloudHook().connection.login == "1"
    assert dbt_cloud.token not in said


def test_no_two_plugins_have_a_fixture_of_the_same_name(pytestconfig):
    """Pytest would silently take one of the two."""
    names = Counter(
        name
        for plugin in pytestconfig.pluginmanager.get_plugins()
        if isinstance(plugin, ModuleType) and not plugin.__name__.endswith("conftest")
        for name, value in vars(plugin).items()
        if isinstance(value, FixtureFunctionDefinition)
    )
    assert names["dbt_cloud"] == 1
    assert {name for name, count in names.items() if count > 1} == set()
