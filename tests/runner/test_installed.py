"""The wheel in a new environment on a machine that has no uv: dbt's environment can be made all the same."""

import os
import subprocess
import sys
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[2]


def run(*command: str | Path, **variables: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "VIRTUAL_ENV"))}
    ended = subprocess.run(
        command,
        env={**env, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def extra(wheel: Path, name: str) -> list[str]:
    """What the wheel itself says that the extra brings."""
    with ZipFile(wheel) as archive:
        [path] = [path for path in archive.namelist() if path.endswith(".dist-info/METADATA")]
        declared = Parser().parsestr(archive.read(path).decode()).get_all("Requires-Dist")
    wanted = [Requirement(text) for text in declared]
    return [
        f"{one.name}{one.specifier}" for one in wanted if one.marker and one.marker.evaluate({"extra": name})
    ]


@pytest.mark.dbt
def test_the_local_extra_is_all_that_making_dbts_environment_takes(tmp_path):
    venv = tmp_path / "venv"
    empty = tmp_path / "empty"
    empty.mkdir()
    run(sys.executable, "-m", "venv", venv)
    pip = [venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]

    run(*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, REPOSITORY)
    [wheel] = tmp_path.glob("airflow_dbt_cloud-*.whl")
    # Airflow and its providers are left out: two minutes of installing that this part never imports.
    run(*pip, "install", "--no-deps", wheel)
    run(*pip, "install", *extra(wheel, "local"))
    said = run(
        venv / "bin" / "airflow-dbt-cloud",
        "prepare",
        PATH=str(empty),
        AIRFLOW_DBT_CLOUD_HOME=str(tmp_path / "home"),
    )

    assert "Making dbt's environment with uv in " in said
    dbt = Path(said.splitlines()[-1])
    assert dbt.is_relative_to(tmp_path / "home")
    assert "Usage: dbt" in run(dbt, "--help")
