"""The two ways to make a virtual environment: uv where it can be found, else venv and pip."""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dbtcloud.core import pip_settings

# These would send the packages elsewhere, or hold dbt to versions that Airflow asks for.
_DIVERTING = frozenset(
    {
        "PIP_CONSTRAINT",
        "PIP_PREFIX",
        "PIP_REQUIREMENT",
        "PIP_ROOT",
        "PIP_TARGET",
        "PIP_USER",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        "PYTHONPATH",
        "UV_CONSTRAINT",
        "UV_OVERRIDE",
        "UV_PROJECT_ENVIRONMENT",
        "UV_PYTHON",
        "UV_SYSTEM_PYTHON",
        "UV_VENV_CLEAR",
        "UV_VENV_SEED",
        "VIRTUAL_ENV",
    }
)


@dataclass(frozen=True, slots=True)
class Installer:
    """How packages get into a new virtual environment.

    Attributes:
        uv: Path of the uv program, or None for venv and pip.
    """

    uv: str | None

    @classmethod
    def found(cls) -> "Installer":
        """Look for uv beside this interpreter (from the ``local`` extra), then on PATH; else take pip."""
        return cls(_packaged_uv() or shutil.which("uv"))

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "uv" if self.uv else "venv and pip"

    def commands(self, folder: Path, requirements: Sequence[str]) -> list[list[str]]:
        """The command lines that make ``folder`` a virtual environment with ``requirements`` in it."""
        python = str(folder / "bin" / "python")
        if self.uv:
            make = [self.uv, "venv", "--no-project", "--python", sys.executable, str(folder)]
            fill = [self.uv, "pip", "install", "--python", python, "--compile-bytecode", *requirements]
            return [make, fill]
        make = [sys.executable, "-m", "venv", str(folder)]
        fill = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *requirements]
        return [make, fill]

    def environment(self) -> dict[str, str]:
        """The user's environment variables, so that their indexes and proxies count, less what diverts."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in _DIVERTING and not name.startswith("AIRFLOW_")
        }
        if self.uv:
            return {
                **kept,
                **pip_settings.for_uv(kept),
                "UV_PYTHON_DOWNLOADS": "never",
                "UV_NO_PROGRESS": "1",
            }
        # A configuration file may say these too; only a variable overrules it.
        return {**kept, "PIP_CONSTRAINT": os.devnull, "PIP_USER": "0", "PIP_PROGRESS_BAR": "off"}


def _packaged_uv() -> str | None:
    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError):
        return None
