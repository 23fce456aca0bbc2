"""A dbt project: its ``dbt_project.yml``, and a copy of its files in which dbt runs."""

import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from dbtcloud.core.runner_errors import InvalidDbtConfiguration

# Git and Python create these in any folder. They are neither copied nor removed.
_GENERATED = frozenset({".git", "__pycache__"})
# dbt and other tools create these beside dbt_project.yml. In subfolders, models may have these names.
_GENERATED_AT_TOP = frozenset({".venv", "dbt_packages", "logs", "node_modules", "target", ".user.yml"})
# Each run gets its profile in a separate folder.
_NEVER_COPIED = frozenset({"profiles.yml"})
# Databases beside the models belong to the user. dbt opens them in place.
_DATABASES = (".duckdb", ".duckdb.wal", ".db", ".db-wal", ".sqlite")


@dataclass(frozen=True, slots=True)
class DbtProject:
    """The ``name`` and ``profile`` of a project. Either may be None."""

    name: str | None
    profile: str | None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the project in a folder.

        Raises:
            InvalidDbtConfiguration: The folder has no ``dbt_project.yml``, or the file cannot be read.
        """
        path = folder / "dbt_project.yml"
        if not path.is_file():
            raise _no_project(folder)
        content = load_yaml(path)
        return cls(_text(content.get("name")), _text(content.get("profile")))


@dataclass(frozen=True, slots=True)
class Checkout:
    """The copy of a project in which dbt runs.

    It is always at the same path, because the partial parse of dbt contains absolute paths.

    Attributes:
        folder: The folder of the copy. It is created if it does not exist.
    """

    folder: Path

    def refresh(self, source: Path, within: Path | None = None) -> int:
        """Copy the changed files of ``source``, and delete those that ``source`` no longer has.

        Args:
            source: The folder with ``dbt_project.yml``.
            within: The folder that no symbolic link may leave. None trusts the source.

        Returns:
            The number of files in the project.

        Raises:
            InvalidDbtConfiguration: ``source`` has no ``dbt_project.yml``, or a link leaves ``within``.
        """
        if not (source / "dbt_project.yml").is_file():
            raise _no_project(source)
        wanted = set(_files(source))
        if within is not None:
            _check_links(source, wanted, within)
        for gone in set(_files(self.folder)) - wanted:
            (self.folder / gone).unlink()
        for name in wanted:
            _copy_if_changed(source / name, self.folder / name)
        return len(wanted)

    def has_packages(self) -> bool:
        """Return True if the project has packages, so that ``dbt deps`` is needed."""
        return any((self.folder / name).is_file() for name in ("packages.yml", "dependencies.yml"))


def load_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file, which is empty for an empty file.

    Raises:
        InvalidDbtConfiguration: The file cannot be read, or is not a YAML mapping.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidDbtConfiguration(f"{path} cannot be read. Correct the file:\n{error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InvalidDbtConfiguration(f"{path} must be a mapping of names to values. Correct the file.")
    return content


def _check_links(source: Path, names: Iterable[Path], root: Path) -> None:
    for name in names:
        if not (source / name).resolve().is_relative_to(root):
            raise InvalidDbtConfiguration(
                f"The symbolic link {name} leads out of the project's repository, so it is not followed."
                " Replace it with a copy of the file."
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


def _no_project(folder: Path) -> InvalidDbtConfiguration:
    return InvalidDbtConfiguration(
        f"There is no dbt project in {folder}: it has no dbt_project.yml."
        " Give the folder in which you would run 'dbt build'."
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
