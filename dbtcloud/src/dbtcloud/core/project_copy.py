"""A copy of a project, so that dbt neither writes into the user's folder nor sees changes during a run."""

import filecmp
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dbtcloud.core.project import DbtProject

# Git and Python create these in any folder. They are neither copied nor removed.
_GENERATED = frozenset({".git", "__pycache__"})
# dbt and other tools create these beside dbt_project.yml. In subfolders, models may have these names.
_GENERATED_AT_TOP = frozenset({".venv", "dbt_packages", "logs", "node_modules", "target", ".user.yml"})
# Each run gets its profile in a separate folder.
_NEVER_COPIED = frozenset({"profiles.yml"})
# dbt opens databases in the user's folder, in which it runs.
_DATABASES = (".duckdb", ".duckdb.wal", ".db", ".db-wal", ".sqlite")


@dataclass(frozen=True, slots=True)
class ProjectCopy:
    """A copy of the project in ``source``.

    The copy has the same path as the source, below a folder in ``parent``. Beside it and beside each folder
    above it are links to what is beside the source. So a path such as ``../shared`` in ``packages.yml`` or
    ``dbt_project.yml``, which dbt resolves from the copy, leads where it leads from the source.

    Attributes:
        source: The folder with ``dbt_project.yml``, with all links resolved.
        parent: A folder for the copies of one environment.
    """

    source: Path
    parent: Path

    @property
    def top(self) -> Path:
        """The folder that stands for the root of the file system. Each source has its own."""
        digest = hashlib.sha256(os.fsencode(self.source)).hexdigest()
        return self.parent / f"copy-{digest[:8]}"

    @property
    def folder(self) -> Path:
        """The copy of the project. It always has the same path, which dbt's partial parse contains."""
        return self._mirror(self.source)

    def refresh(self) -> int:
        """Copy the changed files of the source, and delete those that the source no longer has.

        Links to folders stay links.

        Returns:
            The number of files in the project.

        Raises:
            InvalidDbtConfiguration: The source has no ``dbt_project.yml``.
        """
        DbtProject.check(self.source)
        self._link_neighbours()
        wanted = set(self._files(self.source))
        for gone in set(self._files(self.folder)) - wanted:
            (self.folder / gone).unlink()
        for name in wanted:
            # An editor may just have removed its temporary file.
            with suppress(FileNotFoundError):
                _copy_if_changed(self.source / name, self.folder / name)
        return len(wanted)

    def _mirror(self, path: Path) -> Path:
        return self.top / path.relative_to(path.anchor)

    def _link_neighbours(self) -> None:
        for path in (*reversed(self.source.parents[:-1]), self.source):
            mirror = self._mirror(path)
            if mirror.is_symlink():
                mirror.unlink()
            mirror.mkdir(parents=True, exist_ok=True)
            _link_entries(path.parent, mirror.parent, without=path.name)

    def _files(self, root: Path) -> Iterator[Path]:
        for folder, folders, names in os.walk(root):
            skipped = _GENERATED | _GENERATED_AT_TOP | _NEVER_COPIED if Path(folder) == root else _GENERATED
            kept = [Path(folder) / name for name in folders if name not in skipped]
            links = [path for path in kept if path.is_symlink()]
            # The data folder of the server may be in the project.
            folders[:] = [
                path.name for path in kept if path not in links and not self.top.is_relative_to(path)
            ]
            files = (Path(folder) / name for name in names if name not in skipped)
            # The lock files of some editors are links to nothing.
            regular = [path for path in files if path.is_file() and not path.name.endswith(_DATABASES)]
            yield from (path.relative_to(root) for path in (*links, *regular))


def _link_entries(folder: Path, mirror: Path, *, without: str) -> None:
    """Let ``mirror`` have a link to each entry of ``folder`` except one, and no other links."""
    try:
        wanted = {path.name for path in folder.iterdir()} - {without}
    except PermissionError:
        return
    existing = {entry.name: entry.is_symlink() for entry in os.scandir(mirror)}
    for name in (name for name, is_link in existing.items() if is_link and name not in wanted):
        (mirror / name).unlink()
    for name in wanted - existing.keys():
        (mirror / name).symlink_to(folder / name)


def _copy_if_changed(source: Path, target: Path) -> None:
    if source.is_dir():
        destination = source.resolve()
        if not target.is_symlink() or target.readlink() != destination:
            _make_way(target)
            target.symlink_to(destination)
    elif not target.is_file() or not filecmp.cmp(source, target):
        _make_way(target)
        shutil.copy2(source, target)


def _make_way(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
