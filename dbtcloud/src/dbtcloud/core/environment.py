"""dbt's own virtual environment: asked for by its requirements, made once, found again by every process."""

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

from dbtcloud.core import process
from dbtcloud.core.installer import Installer
from dbtcloud.core.masked_url import masked
from dbtcloud.core.requirements import DBT_REQUIREMENTS
from dbtcloud.core.runner_errors import EnvironmentNotMade, MissingExtra

HOME_VARIABLE = "DBTCLOUD_HOME"

_MARKER = "dbtcloud.json"
_SHOWN_LINES = 15

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DbtEnvironment:
    """A virtual environment that is whole.

    Attributes:
        folder: Where it stands.
    """

    folder: Path

    @property
    def dbt(self) -> Path:
        """The dbt program."""
        return self.folder / "bin" / "dbt"

    def version(self, distribution: str) -> str:
        """The installed version, read from its metadata: ``dbt --version`` would call the network.

        Raises:
            importlib.metadata.PackageNotFoundError: It is not installed there.
        """
        site = sysconfig.get_path("purelib", "venv", {"base": str(self.folder)})
        for found in metadata.distributions(name=distribution, path=[site]):
            return found.version
        raise metadata.PackageNotFoundError(distribution)


def home() -> Path:
    """The folder for what is made once and kept: ``$DBTCLOUD_HOME``, else the user's cache.

    Raises:
        MissingExtra: platformdirs is not installed.
    """
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen).expanduser().absolute()
    try:
        import platformdirs
    except ImportError as error:
        raise MissingExtra.of(error) from error
    return platformdirs.user_cache_path("dbtcloud", appauthor=False)


def require_extra() -> None:
    """Say at once, and not in the middle of a run, that the ``local`` extra is not installed.

    Raises:
        MissingExtra: A library of it is absent.
    """
    try:
        import filelock  # noqa: F401 - only whether it is there
        import platformdirs  # noqa: F401
        import psutil  # noqa: F401
        import yaml  # noqa: F401
    except ImportError as error:
        raise MissingExtra.of(error) from error


async def make(
    requirements: Sequence[str] = DBT_REQUIREMENTS,
    *,
    root: Path | None = None,
    installer: Installer | None = None,
    progress: Progress = lambda _: None,
) -> DbtEnvironment:
    """Return the environment for these requirements; make it first where it is not there yet.

    However many processes ask at once, one makes it and the others wait. An environment that was left
    half-made is made again.

    Args:
        requirements: What to install, as pip understands it.
        root: The folder that holds all environments; by default ``dbt`` in :func:`home`.
        installer: uv or pip; by default uv where it can be found.
        progress: Is called with a line for each thing that takes time.

    Raises:
        EnvironmentNotMade: The installer failed, or the folder cannot be written.
        MissingExtra: A library of the ``local`` extra is absent.
    """
    # The programs in it begin with the path of their interpreter, which must not lead through a passing link.
    folder = (root or home() / "dbt").resolve() / _key(requirements)
    if not _is_whole(folder):
        try:
            async with _locked(folder, progress):
                if not _is_whole(folder):
                    await _build(folder, requirements, installer or Installer.found(), progress)
        except OSError as error:
            raise _not_writable(folder, error) from error
    return DbtEnvironment(folder)


def _key(requirements: Sequence[str]) -> str:
    asked = [*sorted(requirements), sys.version, sys.base_prefix, platform.machine()]
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:16]


def _is_whole(folder: Path) -> bool:
    # A marker without its interpreter: the Python that the environment was made from is gone.
    return (folder / _MARKER).exists() and (folder / "bin" / "python").exists()


@asynccontextmanager
async def _locked(folder: Path, progress: Progress) -> AsyncIterator[None]:
    try:
        from filelock import AsyncFileLock, Timeout
    except ImportError as error:
        raise MissingExtra.of(error) from error
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = AsyncFileLock(f"{folder}.lock", poll_interval=0.1)
    try:
        await lock.acquire(timeout=0)
    except Timeout:
        progress("Waiting for another process that makes dbt's environment")
        await lock.acquire()
    try:
        yield
    finally:
        await lock.release()


async def _build(folder: Path, requirements: Sequence[str], installer: Installer, progress: Progress) -> None:
    progress(f"Making dbt's environment with {installer.name} in {folder}: {', '.join(requirements)}")
    shutil.rmtree(folder, ignore_errors=True)
    lines: list[str] = []
    for command in installer.commands(folder, requirements):
        code = await process.run(command, cwd=folder.parent, env=installer.environment(), output=lines.append)
        if code != 0:
            raise _failed(installer, command, code, "".join(lines))
    made = {"requirements": list(requirements), "python": sys.version, "with": installer.name}
    (folder / _MARKER).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    progress("dbt's environment is ready")


def _failed(installer: Installer, command: list[str], code: int, output: str) -> EnvironmentNotMade:
    last = "\n".join(output.rstrip().splitlines()[-_SHOWN_LINES:])
    return EnvironmentNotMade(
        f"dbt's environment could not be made: {installer.name} ended with exit code {code}.\n"
        f"The command: {masked(' '.join(command))}\n"
        f"Its last lines:\n{masked(last)}\n"
        "Check the names and versions that were asked for, and that the package index can be reached:"
        " the index, proxy and certificate settings of pip (PIP_*, pip.conf) and uv (UV_*, uv.toml) count."
    )


def _not_writable(folder: Path, error: OSError) -> EnvironmentNotMade:
    return EnvironmentNotMade(
        f"dbt's environment could not be made in {folder.parent}: {error}."
        f" Set {HOME_VARIABLE} to a folder that can be written and has 200 MB to spare."
    )
