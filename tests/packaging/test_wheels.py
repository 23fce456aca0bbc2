"""The wheels work in fresh environments, with the source tree out of reach."""

import json
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from airflow_dbt_cloud import __version__
from fresh_environment import ROOT, UV, FreshEnvironment

pytestmark = pytest.mark.timeout(600)

USES_THE_FIXTURE = """
from dbtcloud.client import endpoints
from dbtcloud.client.transport.sync_client import SyncClient
from dbtcloud.client.transport.credentials import Credentials


def test_a_job_is_run(dbt_cloud):
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {}}])
    with SyncClient(Credentials(base_url=dbt_cloud.url, token=dbt_cloud.token)) as client:
        assert client.ask(endpoints.trigger_run(1, 70, {"cause": "A test"})).job_id == 70
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with both wheels, each built from its source distribution."""
    folder = tmp_path_factory.mktemp("built")
    subprocess.run([UV, "build", "--quiet", "--all-packages", "--out-dir", folder], cwd=ROOT, check=True)
    return folder


def wheel(built: Path, name: str, extra: str = "") -> str:
    [path] = built.glob(f"{name}-*.whl")
    return f"{path}{extra}"


@pytest.mark.parametrize(
    ("name", "source"), [("airflow_dbt_cloud", "airflow_dbt_cloud"), ("dbtcloud", "dbtcloud/src/dbtcloud")]
)
def test_a_wheel_holds_every_file_of_its_package(built, name, source):
    packed = zipfile.ZipFile(wheel(built, name)).namelist()
    there = [file.relative_to(ROOT / source) for file in (ROOT / source).rglob("*") if file.is_file()]
    expected = {f"{name}/{file.as_posix()}" for file in there if "__pycache__" not in file.parts}

    assert {file for file in packed if not file.startswith(f"{name}-")} == expected
    assert f"{name}-{__version__}.dist-info/licenses/LICENSE" in packed


def test_a_source_distribution_holds_nothing_of_the_other(built):
    for name, other in (("airflow_dbt_cloud", "dbtcloud"), ("dbtcloud", "airflow_dbt_cloud")):
        with tarfile.open(built / f"{name}-{__version__}.tar.gz") as archive:
            top = {file.partition("/")[2].partition("/")[0] for file in archive.getnames()}
        assert {"LICENSE", "README.md", "pyproject.toml"} <= top
        assert other not in top


def test_dbtcloud_works_without_airflow(built, tmp_path, locked):
    made = FreshEnvironment.made(tmp_path)
    made.install(*locked, wheel(built, "dbtcloud", "[local]"), "pytest")
    (made.work / "test_nightly.py").write_text(USES_THE_FIXTURE)

    assert made.run("dbtcloud", "--version") == f"dbtcloud {__version__}\n"
    assert "1 passed" in made.run("python", "-m", "pytest", "-q", "test_nightly.py")
    assert installed(made) >= {"dbtcloud", "pytest"}
    assert not {name for name in installed(made) if "airflow" in name}
    assert comes_from_the_environment(made, "dbtcloud")


RUNS_A_JOB = """
from dbtcloud import DbtCloudClient, run_dbt_cloud_job

with DbtCloudClient({token!r}, 1, {url!r}) as client:
    result = run_dbt_cloud_job("One seed", credentials=client, wait_seconds=1, timeout=200)
    built = [row["unique_id"] for row in result.report.to_rows()]
    print(result["status_humanized"], len(built) > 0, client.runs.get(result.run_id).is_success)
"""


@pytest.mark.dbt
def test_client_and_function_run_a_real_job_without_any_extra(built, tmp_path, locked, dbt_cloud):
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "One seed", "execute_steps": ["dbt seed"]}])
    made = FreshEnvironment.made(tmp_path)
    made.install(*locked, wheel(built, "dbtcloud"))

    code = RUNS_A_JOB.format(token=dbt_cloud.token, url=dbt_cloud.url)
    assert made.run("python", "-c", code) == "Success True True\n"
    assert made.run("dbtcloud", "--version") == f"dbtcloud {__version__}\n"
    names = installed(made)
    assert not {name for name in names if "airflow" in name}
    assert not {"psutil", "pytest", "graphql-core", "pyyaml", "rich"} & names
    assert len(names) <= 25, sorted(names)


def test_airflow_finds_the_provider(built, tmp_path, locked):
    made = FreshEnvironment.made(tmp_path)
    made.install(*locked, wheel(built, "dbtcloud"), wheel(built, "airflow_dbt_cloud", "[local]"), "pytest")
    (made.work / "test_nightly.py").write_text(USES_THE_FIXTURE)

    listed = made.run("airflow", "providers", "list", "--output", "json")
    providers = json.loads(next(line for line in listed.splitlines() if line.startswith("[{")))
    assert {"airflow-dbt-cloud": __version__}.items() <= {
        each["package_name"]: each["version"] for each in providers
    }.items()
    assert made.run("airflow-dbt-cloud", "--version") == f"airflow-dbt-cloud {__version__}\n"
    assert made.run("dbtcloud", "--version") == f"dbtcloud {__version__}\n"
    assert "1 passed" in made.run("python", "-m", "pytest", "-q", "test_nightly.py")
    assert comes_from_the_environment(made, "airflow_dbt_cloud")


def installed(made: FreshEnvironment) -> set[str]:
    command = "from importlib.metadata import distributions as all; print(*(each.name for each in all()))"
    return set(made.run("python", "-c", command).split())


def comes_from_the_environment(made: FreshEnvironment, package: str) -> bool:
    file = made.run("python", "-c", f"import {package}; print({package}.__file__)")
    return Path(file.strip()).is_relative_to(made.folder)
