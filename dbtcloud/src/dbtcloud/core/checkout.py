"""A copy of a dbt project at a fixed path, because the partial parse of dbt contains absolute paths."""

import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from dbtcloud.core import project
from dbtcloud.core.runner_errors import InvalidDbtProject

# Git and Python create these in any folder. They are neither copied nor removed.
_GENERATED = frozenset({".git", "__pycache__"})
# dbt and other tools create these beside dbt_project.yml. In subfolders, models may have these names.
_GENERATED_AT_TOP = frozenset({".venv", "dbt_packages", "logs", "node_modules", "target", ".user.yml"})
# Each run gets its profile in a separate folder.
_NEVER_COPIED = frozenset({"profiles.yml"})
# Databases beside the models belong to the user. dbt opens them in place.
_DATABASES = (".duckdb", ".duckdb.wal", ".db", ".db-wal", ".sqlite")


def refresh_checkout(source: Path, checkout: Path, within: Path | None = None) -> int:
    """Update ``checkout`` to the files of ``source``, without touching files that are the same.

    Args:
        source: The folder with ``dbt_project.yml``.
        checkout: The folder of the copy. It is created if it does not exist.
        within: The folder that no symbolic link may leave. None trusts the source.

    Returns:
        The number of files in the project.

    Raises:
        InvalidDbtProject: ``source`` has no ``dbt_project.yml``, or a link leaves ``within``.
    """
    if not (source / "dbt_project.yml").is_file():
        raise project.no_project_error(source)
    wanted = set(_files(source))
    if within is not None:
        _check_links(source, wanted, within)
    for gone in set(_files(checkout)) - wanted:
        (checkout / gone).unlink()
    for name in wanted:
        _copy_if_changed(source / name, checkout / name)
    return len(wanted)


def has_packages(folder: Path) -> bool:
    """Return True if the project has packages, so that ``dbt deps`` is needed."""
    return any((folder / name).is_file() for name in ("packages.yml", "dependencies.yml"))


def _check_links(source: Path, names: Iterable[Path], root: Path) -> None:
    for name in names:
        if not (source / name).resolve().is_relative_to(root):
            raise InvalidDbtProject(
                f"The link {name} leads out of the project's repository, so it is not followed."
                " Replace it with the file itself."
            )


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        skipped = _GENERATED | _GENERATED_AT_TOP | _NEVER_COPIED if Path(folder) == root else _GENERATED
        folders[:] = [name for name in folders if name not in skipped]
        for name in names:
            if name not in skipped and not name.endswith(_DATABASES):
                yield (Path(folder) / name).relative_to(root)


def _copy_if_changed(source: Path, target: Path) -> None:
    if target.is_file() and filecmp.cmp(source, target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
