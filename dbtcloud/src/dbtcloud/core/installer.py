"""The installers of virtual environments: uv if it is installed, else venv and pip.

uv does not read the settings of pip. Those for indexes, certificates and proxies are translated for it.
"""

import configparser
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
# If one of these sets an index for uv, pip's indexes are ignored.
_UV_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_CONFIG_FILE")


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
                **self.uv_variables(kept),
                "UV_PYTHON_DOWNLOADS": "never",
                "UV_NO_PROGRESS": "1",
            }
        # A configuration file may set these too. Only variables override it.
        return {**kept, "PIP_CONSTRAINT": os.devnull, "PIP_USER": "0", "PIP_PROGRESS_BAR": "off"}

    @staticmethod
    def uv_variables(environ: Mapping[str, str], files: tuple[Path, ...] | None = None) -> dict[str, str]:
        """Translate the settings of pip for uv, which reads neither ``PIP_*`` nor the files of pip.

        Args:
            environ: The environment variables.
            files: The configuration files of pip, of which later ones override earlier ones. The default is
                those of pip's documentation (https://pip.pypa.io/en/stable/topics/configuration/).

        Returns:
            ``UV_*``, certificate and proxy variables to add, without those that are already set.
        """
        pip = _pip_settings(environ, _pip_config_files(environ) if files is None else files)
        translated = {**_connection(pip), **({} if _uv_knows_indexes(environ) else _indexes(pip))}
        return {name: value for name, value in translated.items() if value and name not in environ}


def _packaged_uv() -> str | None:
    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError):
        return None


def _pip_settings(environ: Mapping[str, str], files: tuple[Path, ...]) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read(files, encoding="utf-8")
    found: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            found.update({name.replace("_", "-"): value for name, value in parser.items(section)})
    for name, value in environ.items():
        if name.startswith("PIP_") and value:
            found[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return found


def _pip_config_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return ()
    home = Path.home()
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    system = [Path(folder) / "pip" / "pip.conf" for folder in ("/etc/xdg", "/Library/Application Support")]
    user = [
        home / ".pip" / "pip.conf",
        home / "Library" / "Application Support" / "pip" / "pip.conf",
        config / "pip" / "pip.conf",
    ]
    last = [Path(sys.prefix) / "pip.conf", *([Path(chosen)] if chosen else [])]
    return (*system, Path("/etc/pip.conf"), *user, *last)


def _uv_knows_indexes(environ: Mapping[str, str]) -> bool:
    config = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "uv" / "uv.toml"
    return (
        any(environ.get(name) for name in _UV_INDEXES) or config.exists() or Path("/etc/uv/uv.toml").exists()
    )


def _indexes(pip: Mapping[str, str]) -> dict[str, str]:
    extra = " ".join(pip.get("extra-index-url", "").split())
    return {
        "UV_DEFAULT_INDEX": pip.get("index-url", ""),
        "UV_INDEX": extra,
        # pip chooses the best version of all indexes. By default, uv stops at the first with the name.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if extra else "",
        "UV_FIND_LINKS": ",".join(pip.get("find-links", "").split()),
        "UV_NO_INDEX": "1" if pip.get("no-index", "").lower() in {"1", "true", "yes", "on"} else "",
    }


def _connection(pip: Mapping[str, str]) -> dict[str, str]:
    return {
        "ALL_PROXY": pip.get("proxy", ""),
        "SSL_CERT_FILE": pip.get("cert", ""),
        "UV_INSECURE_HOST": " ".join(pip.get("trusted-host", "").split()),
        "UV_HTTP_TIMEOUT": pip.get("timeout") or pip.get("default-timeout", ""),
    }
