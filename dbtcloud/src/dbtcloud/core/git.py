"""Git repositories: fetch them into a bare repository, and check out a commit into a folder."""

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dbtcloud.core import process
from dbtcloud.core.process import mask_url_passwords
from dbtcloud.core.runner_errors import GitError

_SHOWN_LINES = 6
_COMMIT = re.compile(r"[0-9a-fA-F]{4,64}")
_LINK_MODE = "120000"
# With these variables, git reaches private repositories as it does in the user's terminal.
_ACCESS_VARIABLES = (
    "GIT_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "SSH_AGENT_PID",
    "SSH_ASKPASS",
    "SSH_AUTH_SOCK",
    "XDG_CONFIG_HOME",
)


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit with its full ``sha``, and its branch unless the commit was requested by its SHA."""

    sha: str
    branch: str | None


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository with a local copy of its objects.

    Attributes:
        url: An address or a folder that git can fetch from.
        store: The folder of a bare repository, created on first use. Only one process may use it at a time.
    """

    url: str = field(repr=False)
    store: Path

    @staticmethod
    async def find_work_tree(folder: Path) -> Path:
        """Return the top folder of the git work tree that contains a folder.

        Raises:
            GitError: The folder is not in a git work tree.
        """
        output = await _run_git(("rev-parse", "--show-toplevel"), folder, may_fail=True)
        if not output.strip():
            raise GitError(
                f"{folder} is not in a git repository, so it has no branches or commits."
                " Remove git_branch and git_sha, or serve the project with --git."
            )
        return Path(output.strip())

    async def fetch(self) -> None:
        """Update all branches in the store.

        Raises:
            GitError: Git cannot reach the repository, or git is not installed.
        """
        if not (self.store / "HEAD").exists():
            self.store.parent.mkdir(parents=True, exist_ok=True)
            await self._git("init", "--quiet", "--bare", str(self.store), in_store=False)
        await self._git("fetch", "--quiet", "--prune", "--tags", "--", self.url, "+refs/heads/*:refs/heads/*")

    async def revision(self, branch: str | None = None, sha: str | None = None) -> Revision:
        """Return a commit, the newest commit of a branch, or that of the default branch.

        Raises:
            GitError: The commit or branch does not exist.
        """
        if sha:
            return Revision(await self._commit(sha), branch)
        name = branch or await self._default_branch()
        found = await self._rev_parse(f"refs/heads/{name}")
        if found is None:
            raise GitError(
                f"The repository {mask_url_passwords(self.url)} has no branch {name!r}."
                " Name an existing branch, or push this one first."
            )
        return Revision(found, name)

    async def check_out(self, revision: Revision, folder: Path) -> None:
        """Change the files in ``folder``, which an earlier call may have written, to those of a commit.

        Files that are not in the repository stay, such as a database that dbt has created. So do changes to a
        file until a commit changes it, too.

        Raises:
            GitError: Git cannot write the files.
        """
        # A bare repository has no index. This one remembers what the folder has.
        index = folder.with_name(f"{folder.name}.index")
        await asyncio.to_thread(_prepare, folder, index)
        read_tree = (f"--work-tree={folder}", "read-tree", "-u")
        try:
            await self._git(*read_tree, "-m", revision.sha, index=index)
        except GitError:
            # A file in the folder is in the way. Or the last call was interrupted.
            await self._git(*read_tree, "--reset", revision.sha, index=index)

    async def tracked_files(self, folder: Path) -> dict[Path, bool]:
        """Return the files that `check_out` wrote into ``folder``, and for each whether it is a link.

        The paths are relative to ``folder``.
        """
        index = folder.with_name(f"{folder.name}.index")
        output = await self._git("ls-files", "--stage", "-z", index=index)
        entries = (entry.partition("\t") for entry in output.split("\0") if entry)
        return {Path(name): facts.startswith(_LINK_MODE) for facts, _, name in entries}

    async def _commit(self, sha: str) -> str:
        if not _COMMIT.fullmatch(sha):
            raise GitError(f"{sha!r} is not a commit. Give a hexadecimal SHA with at least 4 digits.")
        found = await self._rev_parse(sha)
        if found is None and len(sha) == 40:
            # The commit may be on no branch, such as that of a pull request.
            await self._git("fetch", "--quiet", "--", self.url, sha)
            found = await self._rev_parse(sha)
        if found is None:
            raise GitError(
                f"The repository {mask_url_passwords(self.url)} has no commit {sha}."
                " Give a commit of one of its branches, or push this one first."
            )
        return found

    async def _default_branch(self) -> str:
        output = await self._git("ls-remote", "--symref", "--", self.url, "HEAD")
        found = re.search(r"^ref: refs/heads/(\S+)\tHEAD", output, re.MULTILINE)
        return found[1] if found else "main"

    async def _rev_parse(self, name: str) -> str | None:
        output = await self._git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", may_fail=True
        )
        return output.strip() or None

    async def _git(
        self, *words: str, in_store: bool = True, may_fail: bool = False, index: Path | None = None
    ) -> str:
        location = (f"--git-dir={self.store}",) if in_store else ()
        variables = {} if index is None else {"GIT_INDEX_FILE": str(index)}
        return await _run_git((*location, *words), self.store.parent, may_fail=may_fail, variables=variables)


def _prepare(folder: Path, index: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # Left by a git process that was killed. No other one uses this folder.
    index.with_name(f"{index.name}.lock").unlink(missing_ok=True)


async def _run_git(
    words: Sequence[str], folder: Path, *, may_fail: bool = False, variables: dict[str, str] | None = None
) -> str:
    """Run git without prompts and return its output.

    Returns:
        The output, or "" if git fails and ``may_fail`` is set.

    Raises:
        GitError: Git fails. The message has the last lines of its output.
    """
    lines: list[str] = []
    # Hooks of the user must not run.
    command = ("git", "-c", "core.hooksPath=/dev/null", *words)
    try:
        code = await process.run_process(
            command, cwd=folder, env=_git_environment(variables or {}), output=lines.append
        )
    except FileNotFoundError as error:
        raise GitError(
            f"Git cannot be started: {error}. Install git, or serve a folder with --project-dir."
        ) from error
    if code == 0:
        return "".join(lines)
    if may_fail:
        return ""
    raise _git_error(words, code, "".join(lines))


def _git_error(words: Sequence[str], code: int, output: str) -> GitError:
    verb = next((word for word in words if not word.startswith("-")), "")
    last = "\n".join(output.rstrip().splitlines()[-_SHOWN_LINES:])
    return GitError(
        f"The project could not be fetched: git {verb} ended with exit code {code}.\n"
        f"{mask_url_passwords(last)}\n"
        "Check the address, and that 'git ls-remote' works on this machine without a password prompt."
    )


def _git_environment(variables: dict[str, str]) -> dict[str, str]:
    access = {name: os.environ[name] for name in _ACCESS_VARIABLES if name in os.environ}
    return process.minimal_environment(
        {**access, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", **variables}
    )
