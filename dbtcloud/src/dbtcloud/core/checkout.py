"""A stable copy of a dbt project, since dbt's partial parse holds absolute paths and must find them again."""

import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from dbtcloud.core import project
from dbtcloud.core.runner_errors import NotADbtProject

# What git and Python make, wherever: neither copied from the sources nor removed from the checkout.
_MADE = frozenset({".git", "__pycache__"})
# What dbt and others make beside dbt_project.yml; below, a folder of models may be called so.
_MADE_AT_THE_TOP = frozenset({".venv", "dbt_packages", "logs", "node_modules", "target", ".user.yml"})
# A run gets its profile in a folder of its own, whichever it is.
_NEVER_COPIED = frozenset({"profiles.yml"})
# Databases beside the models are the user's: dbt opens them where they are.
_DATABASES = (".duckdb", ".duckdb.wal", ".db", ".db-wal", ".sqlite")


def refresh(source: Path, checkout: Path, within: Path | None = None) -> int:
    """Make ``checkout`` hold what ``source`` holds; files that are the same stay untouched.

    Args:
        source: The folder with ``dbt_project.yml``.
        checkout: The copy, made if it is not there.
        within: The folder that no link among the files may leave; None for sources that are trusted.

    Returns:
        How many files the project has.

    Raises:
        NotADbtProject: ``source`` has no ``dbt_project.yml``, or a link that leads out of ``within``.
    """
    if not (source / "dbt_project.yml").is_file():
        raise project.missing(source)
    wanted = set(_files(source))
    if within is not None:
        _keep_within(source, wanted, within)
    for gone in set(_files(checkout)) - wanted:
        (checkout / gone).unlink()
    for name in wanted:
        _copy_if_changed(source / name, checkout / name)
    return len(wanted)


def has_packages(folder: Path) -> bool:
    """Whether ``dbt deps`` has anything to do."""
    return any((folder / name).is_file() for name in ("packages.yml", "dependencies.yml"))


def _keep_within(source: Path, names: Iterable[Path], root: Path) -> None:
    for name in names:
        if not (source / name).resolve().is_relative_to(root):
            raise NotADbtProject(
                f"{name} in the project's repository is a link that leads out of it, so that it is not read."
                " Put the file itself there."
            )


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        left_out = _MADE | _MADE_AT_THE_TOP | _NEVER_COPIED if Path(folder) == root else _MADE
        folders[:] = [name for name in folders if name not in left_out]
        for name in names:
            if name not in left_out and not name.endswith(_DATABASES):
                yield (Path(folder) / name).relative_to(root)


def _copy_if_changed(source: Path, target: Path) -> None:
    if target.is_file() and filecmp.cmp(source, target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
