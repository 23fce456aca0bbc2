"""The wheel in a new environment on a machine that has no uv: dbt's environment can be made all the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.dbt
def test_the_local_extra_is_enough_to_create_an_environment_of_dbt(tmp_path):
    venv = tmp_path / "venv"
    empty = tmp_path / "empty"
    empty.mkdir()
    run(sys.executable, "-m", "venv", venv)
    pip = [venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]

    run(*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, REPOSITORY)
    [wheel] = tmp_path.glob("dbtcloud-*.whl")
    run(*pip, "install", f"{wheel}[local]")
    said = run(
        venv / "bin" / "dbtcloud",
        "prepare",
        PATH=str(empty),
        DBTCLOUD_HOME=str(tmp_path / "home"),
    )

    assert "Creating the dbt environment in " in said
    dbt = Path(said.splitlines()[-1])
    assert dbt.is_relative_to(tmp_path / "home")
    assert "Usage: dbt" in run(dbt, "--help")
