"""Where a dbt project's files come from: a folder of this machine, or a git repository."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from dbtcloud.core import git
from dbtcloud.core.git import Repository, Revision
from dbtcloud.core.masked_url import masked
from dbtcloud.core.runner_errors import NotADbtProject


@dataclass(frozen=True, slots=True)
class Fetched:
    """A project's files as they are to be run.

    Attributes:
        folder: The folder of ``dbt_project.yml``.
        revision: The commit, None for a folder as it stands.
        root: The top of the repository's files, which no link may leave; None for a folder as it stands.
    """

    folder: Path
    revision: Revision | None = None
    root: Path | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A project's sources; exactly one of ``folder`` and ``url`` is given.

    Attributes:
        folder: A folder of this machine; it is read, never written.
        url: A git repository.
        branch: Which branch of it is run unless something else is asked for; None is its default branch.
        subdirectory: Where in the repository the project lies.
    """

    folder: Path | None = None
    url: str | None = field(default=None, repr=False)
    branch: str | None = None
    subdirectory: str = ""

    def __str__(self) -> str:
        return str(self.folder) if self.url is None else masked(self.url)

    async def fetch(self, work_dir: Path, branch: str | None = None, sha: str | None = None) -> Fetched:
        """Return the files, of the given branch or commit where one is asked for.

        Args:
            work_dir: Where the repository's objects and files are kept; no other fetch may use it meanwhile.
            branch: Overrides the source's own branch.
            sha: Overrides both.

        Raises:
            GitFailed: They cannot be fetched.
            NotADbtProject: The subdirectory leads out of the repository.
        """
        if self.url is not None:
            repository = Repository(self.url, work_dir / "repository.git")
            return await self._laid_out(repository, self.subdirectory, branch or self.branch, sha, work_dir)
        assert self.folder is not None
        if not branch and not sha:
            return Fetched(self.folder)
        top = await git.top_of(self.folder)
        within = str(self.folder.resolve().relative_to(top.resolve()))
        return await self._laid_out(
            Repository(str(top), work_dir / "repository.git"), within, branch, sha, work_dir
        )

    async def _laid_out(
        self, repository: Repository, within: str, branch: str | None, sha: str | None, work_dir: Path
    ) -> Fetched:
        await repository.fetch()
        revision = await repository.revision(branch, sha)
        root = work_dir / "revision"
        await repository.lay_out(revision, root)
        folder = await asyncio.to_thread((root / within).resolve)
        if not folder.is_relative_to(root.resolve()):
            raise NotADbtProject(
                f"The subdirectory {within!r} leads out of the repository. Give one below its top folder."
            )
        return Fetched(folder, revision, root.resolve())
