"""The virtual environments of dbt: one for each set of requirements, created once and shared by processes."""

import hashlib
import json
import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Self

from dbtcloud.core import process
from dbtcloud.core.installer import Installer
from dbtcloud.core.process import mask_url_passwords
from dbtcloud.core.requirements import DBT_REQUIREMENTS
from dbtcloud.core.runner_errors import EnvironmentCreationError, MissingExtra

ProgressCallback = Callable[[str], None]
"""Receives one line of text for each thing that takes time."""

_HOME_VARIABLE = "DBTCLOUD_HOME"

_MARKER = "dbtcloud.json"
_SHOWN_LINES = 15


@dataclass(frozen=True, slots=True)
class DbtEnvironment:
    """A complete virtual environment with dbt.

    Attributes:
        folder: The folder of the environment.
    """

    folder: Path

    @classmethod
    async def create(
        cls,
        requirements: Sequence[str] = DBT_REQUIREMENTS,
        *,
        root: Path | None = None,
        installer: Installer | None = None,
        progress: ProgressCallback = lambda _: None,
    ) -> Self:
        """Return the environment for these requirements, and create it if it does not exist.

        If several processes call this at once, one creates the environment and the others wait. An incomplete
        environment is created again.

        Args:
            requirements: The requirements to install, in the syntax of pip.
            root: The folder of all environments. The default is ``dbt`` in :func:`data_home`.
            installer: uv or pip. The default is uv if it is installed.
            progress: Receives a line for each thing that takes time.

        Raises:
            EnvironmentCreationError: The installer failed, or the folder is not writable.
            MissingExtra: A library of the ``local`` extra is missing.
        """
        # The scripts in it contain the path of their interpreter. A symbolic link in that path might
        # disappear later.
        folder = (root or data_home() / "dbt").resolve() / _key(requirements)
        if not _is_complete(folder):
            try:
                async with _locked(folder, progress):
                    if not _is_complete(folder):
                        await _build(folder, requirements, installer or Installer.find(), progress)
            except OSError as error:
                raise _not_writable(folder, error) from error
        return cls(folder)

    @property
    def dbt(self) -> Path:
        """The path of the dbt program."""
        return self.folder / "bin" / "dbt"

    def version(self, distribution: str) -> str:
        """Return the installed version of a distribution.

        Raises:
            importlib.metadata.PackageNotFoundError: It is not installed in the environment.
        """
        # `dbt --version` would send a request to the package index.
        site = sysconfig.get_path("purelib", "venv", {"base": str(self.folder)})
        for found in metadata.distributions(name=distribution, path=[site]):
            return found.version
        raise metadata.PackageNotFoundError(distribution)


def data_home() -> Path:
    """Return the folder for environments and server state: ``$DBTCLOUD_HOME``, else the user's cache.

    Raises:
        MissingExtra: platformdirs is not installed.
    """
    if chosen := os.environ.get(_HOME_VARIABLE):
        return Path(chosen).expanduser().absolute()
    try:
        import platformdirs
    except ImportError as error:
        raise MissingExtra.from_import_error(error) from error
    return platformdirs.user_cache_path("dbtcloud", appauthor=False)


def _key(requirements: Sequence[str]) -> str:
    parts = [*sorted(requirements), sys.version, sys.base_prefix, platform.machine()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _is_complete(folder: Path) -> bool:
    # The link to the interpreter is broken if the Python that created the environment is gone.
    return (folder / _MARKER).exists() and (folder / "bin" / "python").exists()


@asynccontextmanager
async def _locked(folder: Path, progress: ProgressCallback) -> AsyncIterator[None]:
    try:
        from filelock import AsyncFileLock, Timeout
    except ImportError as error:
        raise MissingExtra.from_import_error(error) from error
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = AsyncFileLock(f"{folder}.lock", poll_interval=0.1)
    try:
        await lock.acquire(timeout=0)
    except Timeout:
        progress("Waiting for another process that is creating the dbt environment")
        await lock.acquire()
    try:
        yield
    finally:
        await lock.release()


async def _build(
    folder: Path, requirements: Sequence[str], installer: Installer, progress: ProgressCallback
) -> None:
    progress(f"Creating the dbt environment in {folder} with {installer.name}: {', '.join(requirements)}")
    shutil.rmtree(folder, ignore_errors=True)
    lines: list[str] = []
    for command in installer.commands(folder, requirements):
        code = await process.run_process(
            command, cwd=folder.parent, env=installer.environment(), output=lines.append
        )
        if code != 0:
            raise _creation_error(installer, command, code, "".join(lines))
    content = {"requirements": list(requirements), "python": sys.version, "with": installer.name}
    (folder / _MARKER).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    progress("The dbt environment is ready")


def _creation_error(
    installer: Installer, command: list[str], code: int, output: str
) -> EnvironmentCreationError:
    last = "\n".join(output.rstrip().splitlines()[-_SHOWN_LINES:])
    return EnvironmentCreationError(
        f"The dbt environment could not be created: {installer.name} ended with exit code {code}.\n"
        f"Command: {mask_url_passwords(' '.join(command))}\n"
        f"Last lines of its output:\n{mask_url_passwords(last)}\n"
        "Check the requested names and versions, and that this machine can reach the package index."
        " The index, proxy and certificate settings of pip (PIP_*, pip.conf) and uv (UV_*, uv.toml) apply."
    )


def _not_writable(folder: Path, error: OSError) -> EnvironmentCreationError:
    return EnvironmentCreationError(
        f"The dbt environment could not be created in {folder.parent}: {error}."
        f" Set {_HOME_VARIABLE} to a writable folder with 200 MB of free space."
    )
