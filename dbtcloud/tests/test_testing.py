"""The pytest plugin works in another project without Airflow, with requests as its client."""

import os
import subprocess
import sys

CLIENT = """
import json
import os

import requests

from dbtcloud.testing import CONNECTION_VARIABLE, LocalDbtCloud, connection_json


def ask(method, path, **body):
    connection = json.loads(os.environ[CONNECTION_VARIABLE])
    response = requests.request(
        method,
        f"{connection['host']}/api/v2/accounts/{connection['login']}/{path}",
        headers={"Authorization": f"Token {connection['password']}"},
        json=body or None,
        timeout=10,
    )
    response.raise_for_status()
    return response.json()["data"]
"""
EACH_TEST = """
def test_a_simulated_job_runs(dbt_cloud):
    assert isinstance(dbt_cloud, LocalDbtCloud)
    assert os.environ[CONNECTION_VARIABLE] == connection_json(dbt_cloud)
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {"outcome": 10}}])
    run = ask("POST", "jobs/70/run/", cause="A test")
    assert ask("GET", f"runs/{run['id']}/")["status"] == 10


def test_the_next_test_starts_afresh(dbt_cloud):
    assert 70 not in [job["id"] for job in ask("GET", "jobs/")]
    assert ask("GET", "runs/") == []


def test_without_the_fixture_there_is_no_connection():
    assert CONNECTION_VARIABLE not in os.environ
"""
WHOLE_SESSION = """
def test_one(dbt_cloud_session):
    assert os.environ[CONNECTION_VARIABLE] == connection_json(dbt_cloud_session)
    dbt_cloud_session.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {}}])


def test_another_has_its_own_server_besides(dbt_cloud_session, dbt_cloud):
    assert dbt_cloud_session.url != dbt_cloud.url
    assert os.environ[CONNECTION_VARIABLE] == connection_json(dbt_cloud)


def test_a_third_sees_what_the_first_did(dbt_cloud_session):
    assert 70 in [job["id"] for job in ask("GET", "jobs/")]
"""
UNUSED = """
import sys


def test_the_plugin_has_loaded_nothing_else():
    assert "dbtcloud.testing" in sys.modules
    heavy = {"airflow", "aiohttp", "requests", "yaml", "dbtcloud.core", "dbtcloud.local"}
    assert not heavy & set(sys.modules)
"""
WITHOUT_EXTRA = """
import sys

# As if the library were not installed.
sys.modules["psutil"] = None
"""
NEEDS_THE_SERVER = """
def test_it(dbt_cloud):
    pass


def test_another_that_needs_no_server():
    pass
"""


def run_pytest(folder, *, autoload=True):
    """Run the tests in a folder that knows nothing of this repository, and return the output."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    if not autoload:
        command += ["-p", "dbtcloud.testing"]
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    ).stdout


def test_tests_get_a_server_each_in_its_initial_state_or_share_one(tmp_path):
    (tmp_path / "test_nightly.py").write_text(CLIENT + EACH_TEST)
    (tmp_path / "test_session.py").write_text(CLIENT + WHOLE_SESSION)
    output = run_pytest(tmp_path)
    assert "6 passed" in output, output


def test_naming_the_plugin_in_a_conftest_loads_it_once(tmp_path):
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["dbtcloud.testing"]\n')
    (tmp_path / "test_nightly.py").write_text(CLIENT + EACH_TEST)
    output = run_pytest(tmp_path)
    assert "3 passed" in output, output


def test_importing_the_plugin_imports_neither_server_nor_client(tmp_path):
    (tmp_path / "test_unused.py").write_text(UNUSED)
    # Other installed plugins may import these modules themselves.
    output = run_pytest(tmp_path, autoload=False)
    assert "1 passed" in output, output


def test_without_the_local_extra_only_tests_with_the_fixture_fail_and_name_the_extra(tmp_path):
    (tmp_path / "conftest.py").write_text(WITHOUT_EXTRA)
    (tmp_path / "test_nightly.py").write_text(NEEDS_THE_SERVER)
    output = run_pytest(tmp_path, autoload=False)
    assert "1 passed, 1 error" in output, output
    assert "pip install 'dbtcloud[local]'" in output
