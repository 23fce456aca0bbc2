"""The installers of virtual environments: uv if it is installed, else venv and pip."""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dbtcloud.core import pip_settings

# These would install packages elsewhere, or constrain dbt to the versions that Airflow needs.
_IGNORED_VARIABLES = frozenset(
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
    """An installer of virtual environments.

    Attributes:
        uv: The path of the uv program, or None for venv and pip.
    """

    uv: str | None

    @classmethod
    def find(cls) -> "Installer":
        """Return uv from the ``local`` extra, else uv on the PATH, else venv and pip."""
        return cls(_packaged_uv() or shutil.which("uv"))

    @property
    def name(self) -> str:
        """The name for messages."""
        return "uv" if self.uv else "venv and pip"

    def commands(self, folder: Path, requirements: Sequence[str]) -> list[list[str]]:
        """Return the commands that create an environment in ``folder`` and install ``requirements``."""
        python = str(folder / "bin" / "python")
        if self.uv:
            create = [self.uv, "venv", "--no-project", "--python", sys.executable, str(folder)]
            install = [self.uv, "pip", "install", "--python", python, "--compile-bytecode", *requirements]
            return [create, install]
        create = [sys.executable, "-m", "venv", str(folder)]
        install = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *requirements]
        return [create, install]

    def environment(self) -> dict[str, str]:
        """Return the user's environment variables, with their indexes and proxies, for the installer."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in _IGNORED_VARIABLES and not name.startswith("AIRFLOW_")
        }
        if self.uv:
            return {
                **kept,
                **pip_settings.uv_variables(kept),
                "UV_PYTHON_DOWNLOADS": "never",
                "UV_NO_PROGRESS": "1",
            }
        # A configuration file may set these too. Only variables override it.
        return {**kept, "PIP_CONSTRAINT": os.devnull, "PIP_USER": "0", "PIP_PROGRESS_BAR": "off"}


def _packaged_uv() -> str | None:
    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError):
        return None
