"""A stable copy of a dbt project, since dbt's partial parse holds absolute paths and must find them again."""

import filecmp
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from airflow_dbt_cloud.runner.errors import NotADbtProject

# What dbt, Python and git make: neither copied from the sources nor removed from the checkout.
_MADE = frozenset(
    {".git", ".venv", "__pycache__", "dbt_packages", "logs", "node_modules", "target", ".user.yml"}
)
# The profile is generated; one that lies in the project belongs to another warehouse.
_NEVER_COPIED = frozenset({"profiles.yml"})


def refresh(source: Path, checkout: Path) -> int:
    """Make ``checkout`` hold what ``source`` holds; files that are the same stay untouched.

    Args:
        source: The folder with ``dbt_project.yml``.
        checkout: The copy, made if it is not there.

    Returns:
        How many files the project has.

    Raises:
        NotADbtProject: ``source`` has no ``dbt_project.yml``.
    """
    if not (source / "dbt_project.yml").is_file():
        raise NotADbtProject(
            f"There is no dbt project in {source}: it has no dbt_project.yml."
            " Give the folder in which you would run 'dbt build'."
        )
    wanted = set(_files(source))
    for gone in set(_files(checkout)) - wanted:
        (checkout / gone).unlink()
    for name in wanted:
        _copy_if_changed(source / name, checkout / name)
    return len(wanted)


def has_packages(project: Path) -> bool:
    """Whether ``dbt deps`` has anything to do."""
    return any((project / name).is_file() for name in ("packages.yml", "dependencies.yml"))


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _MADE]
        for name in names:
            if name not in _MADE | _NEVER_COPIED:
                yield (Path(folder) / name).relative_to(root)


def _copy_if_changed(source: Path, target: Path) -> None:
    if target.is_file() and filecmp.cmp(source, target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
