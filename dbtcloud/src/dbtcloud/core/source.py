"""The source of a dbt project: a local folder or a git repository."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dbtcloud.core.git import Repository, Revision
from dbtcloud.core.process import mask_url_passwords
from dbtcloud.core.runner_errors import InvalidDbtConfiguration

_LOCK_FILE = "package-lock.yml"


@dataclass(frozen=True, slots=True)
class FetchedProject:
    """The files of a project.

    Attributes:
        folder: The folder of ``dbt_project.yml``: that of the user, or one within the whole repository.
        revision: The commit, or None for the user's folder.
    """

    folder: Path
    revision: Revision | None = None


@dataclass(frozen=True, slots=True)
class ProjectSource:
    """A local folder or a git repository. Exactly one of ``folder`` and ``url`` is set.

    Attributes:
        folder: A local folder, which is never written to.
        url: The address of a git repository.
        branch: The branch for runs that do not request another one. None is the default branch.
        subdirectory: The folder of the project within the repository.
    """

    folder: Path | None = None
    url: str | None = field(default=None, repr=False)
    branch: str | None = None
    subdirectory: str = ""

    def __str__(self) -> str:
        return str(self.folder) if self.url is None else mask_url_passwords(self.url)

    async def fetch(
        self, work_dir: Path, branch: str | None = None, sha: str | None = None
    ) -> FetchedProject:
        """Fetch the files of the project.

        Args:
            work_dir: The folder for the repository and its files. Only one fetch may use it at a time.
            branch: Overrides the branch of the source.
            sha: A commit, which overrides both branches.

        Raises:
            GitError: Git cannot fetch the files.
            InvalidDbtConfiguration: The subdirectory leaves the repository.
        """
        if self.url is not None:
            repository = Repository(self.url, work_dir / "repository.git")
            return await self._check_out(repository, self.subdirectory, branch or self.branch, sha, work_dir)
        assert self.folder is not None
        if not branch and not sha:
            return FetchedProject(await asyncio.to_thread(self.folder.resolve))
        top = await Repository.find_work_tree(self.folder)
        within = str(self.folder.resolve().relative_to(top.resolve()))
        return await self._check_out(
            Repository(str(top), work_dir / "repository.git"), within, branch, sha, work_dir
        )

    async def _check_out(
        self, repository: Repository, within: str, branch: str | None, sha: str | None, work_dir: Path
    ) -> FetchedProject:
        await repository.fetch()
        revision = await repository.revision(branch, sha)
        root = work_dir / "revision"
        await repository.check_out(revision, root)
        files = await repository.tracked_files(root)
        return FetchedProject(await asyncio.to_thread(_project_folder, root, within, files), revision)


def _project_folder(root: Path, within: str, files: Mapping[Path, bool]) -> Path:
    top = root.resolve()
    folder = (root / within).resolve()
    if not folder.is_relative_to(top):
        raise InvalidDbtConfiguration(
            f"The subdirectory {within!r} leads out of the repository. Give the path of a folder in it."
        )
    for name in (name for name, is_link in files.items() if is_link):
        if not (root / name).resolve().is_relative_to(top):
            raise InvalidDbtConfiguration(
                f"The symbolic link {name} leads out of the project's repository, so it is not followed."
                " Replace it with a copy of the file."
            )
    lock_file = folder / _LOCK_FILE
    if lock_file.relative_to(top) not in files:
        # That of an earlier run would pin the versions of the packages. In a new clone there is none.
        lock_file.unlink(missing_ok=True)
    return folder
