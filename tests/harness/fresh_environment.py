"""Fresh environments, in which nothing of the source tree can be imported by chance."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
UV = PROGRAMS / "uv"
# Variables of this session that would lead a fresh environment back to it.
FOREIGN = ("AIRFLOW", "PYTHON", "PYTEST", "COV_", "VIRTUAL_ENV", "UV_PROJECT")


@dataclass(frozen=True)
class FreshEnvironment:
    """An environment for this Python, and an empty folder in which its programs run."""

    folder: Path
    work: Path

    @classmethod
    def made(cls, parent: Path, *options: str) -> Self:
        """Make one; the option `--seed` of `uv venv` brings pip into it."""
        folder, work = parent / "venv", parent / "work"
        subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, *options, folder], check=True)
        work.mkdir()
        return cls(folder, work)

    def install(self, *arguments: str | Path) -> None:
        """Install with uv, in the checkout's folder."""
        # With uv's own sources, `.` alone would find `dbtcloud` in the workspace; pip would not.
        python = self.folder / "bin" / "python"
        self._output(UV, "pip", "install", "--no-sources", "--python", python, *arguments, folder=ROOT)

    def install_by_pip(self, *arguments: str | Path) -> None:
        """Install with pip, in the checkout's folder."""
        self._output(self.folder / "bin" / "python", "-m", "pip", "install", *arguments, folder=ROOT)

    def run(self, program: str, *arguments: str | Path) -> str:
        """Run one of its programs, away from the checkout, and return its standard output."""
        return self._output(self.folder / "bin" / program, *arguments, folder=self.work)

    def _output(self, *command: str | Path, folder: Path) -> str:
        done = subprocess.run(
            command,
            cwd=folder,
            env=self._variables(),
            capture_output=True,
            text=True,
            timeout=550,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def _variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        path = os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])
        airflow = {"AIRFLOW_HOME": str(self.work / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        return kept | airflow | {"PATH": path}


def locked_versions(path: Path) -> Path:
    """Write the versions that uv.lock has for the newest Airflow as constraints for pip."""
    command = [UV, "export", "--quiet", "--frozen", "--no-emit-workspace", "--no-hashes", "--all-extras"]
    command += ["--no-default-groups", "--group", "test", "--group", "airflow-newest", "--output-file", path]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return path
