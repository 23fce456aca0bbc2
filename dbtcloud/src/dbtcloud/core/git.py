"""A git repository's branches and commits, fetched into a folder of our own and laid out as plain files."""

import asyncio
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dbtcloud.core import process
from dbtcloud.core.masked_url import masked
from dbtcloud.core.runner_errors import GitFailed

_SHOWN_LINES = 6
_COMMIT = re.compile(r"[0-9a-fA-F]{4,64}")
# What git takes to reach a private repository as it does in the user's own terminal.
_ACCESS = (
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
    """A commit: its full ``sha``, and the branch that was asked for, None where a commit was."""

    sha: str
    branch: str | None


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, and where its objects are kept.

    Attributes:
        url: Whatever git can fetch from: an address or a folder.
        store: A bare repository of our own, made on first use; one process at a time.
    """

    url: str = field(repr=False)
    store: Path

    async def fetch(self) -> None:
        """Bring the store's branches up to date.

        Raises:
            GitFailed: Git cannot reach the repository, or is not installed.
        """
        if not (self.store / "HEAD").exists():
            self.store.parent.mkdir(parents=True, exist_ok=True)
            await self._git("init", "--quiet", "--bare", str(self.store), within=False)
        await self._git("fetch", "--quiet", "--prune", "--tags", "--", self.url, "+refs/heads/*:refs/heads/*")

    async def revision(self, branch: str | None = None, sha: str | None = None) -> Revision:
        """Find a commit, a branch's newest, or the newest of the repository's own default branch.

        Raises:
            GitFailed: There is none of that name.
        """
        if sha:
            return Revision(await self._commit(sha), branch)
        name = branch or await self._default_branch()
        found = await self._parsed(f"refs/heads/{name}")
        if found is None:
            raise GitFailed(
                f"The repository {masked(self.url)} has no branch {name!r}."
                " Name one that it has, and push it if it is still on your machine only."
            )
        return Revision(found, name)

    async def lay_out(self, revision: Revision, folder: Path) -> None:
        """Make ``folder`` hold the files of a commit and nothing else.

        Raises:
            GitFailed: Git cannot write them.
        """
        index = self.store / "layout.index"
        await asyncio.to_thread(_empty, folder, index)
        try:
            await self._git(
                f"--work-tree={folder}",
                "checkout",
                "--quiet",
                "--force",
                revision.sha,
                "--",
                ".",
                index=index,
            )
        finally:
            index.unlink(missing_ok=True)

    async def _commit(self, sha: str) -> str:
        if not _COMMIT.fullmatch(sha):
            raise GitFailed(f"{sha!r} is no commit: give its hexadecimal SHA, of 4 digits or more.")
        found = await self._parsed(sha)
        if found is None and len(sha) == 40:
            # A commit on no branch, such as a pull request's.
            await self._git("fetch", "--quiet", "--", self.url, sha)
            found = await self._parsed(sha)
        if found is None:
            raise GitFailed(
                f"The repository {masked(self.url)} has no commit {sha}."
                " Give one that is on one of its branches, and push it if it is still on your machine only."
            )
        return found

    async def _default_branch(self) -> str:
        said = await self._git("ls-remote", "--symref", "--", self.url, "HEAD")
        found = re.search(r"^ref: refs/heads/(\S+)\tHEAD", said, re.MULTILINE)
        return found[1] if found else "main"

    async def _parsed(self, name: str) -> str | None:
        said = await self._git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", may_fail=True
        )
        return said.strip() or None

    async def _git(
        self, *words: str, within: bool = True, may_fail: bool = False, index: Path | None = None
    ) -> str:
        place = (f"--git-dir={self.store}",) if within else ()
        variables = {} if index is None else {"GIT_INDEX_FILE": str(index)}
        return await git((*place, *words), self.store.parent, may_fail=may_fail, variables=variables)


def _empty(folder: Path, index: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    index.unlink(missing_ok=True)


async def top_of(folder: Path) -> Path:
    """Return the top folder of the git work tree that a folder lies in.

    Raises:
        GitFailed: It lies in none.
    """
    said = await git(("rev-parse", "--show-toplevel"), folder, may_fail=True)
    if not said.strip():
        raise GitFailed(
            f"{folder} lies in no git repository, so that it has no branches or commits to run."
            " Leave git_branch and git_sha out, or serve the project with --git."
        )
    return Path(said.strip())


async def git(
    words: Sequence[str], folder: Path, *, may_fail: bool = False, variables: dict[str, str] | None = None
) -> str:
    """Run git, without asking anybody anything, and return what it says.

    Raises:
        GitFailed: It ends badly, unless it may; its last lines are in the message.
    """
    lines: list[str] = []
    command = ("git", "-c", "core.hooksPath=/dev/null", *words)
    try:
        code = await process.run(command, cwd=folder, env=_environment(variables or {}), output=lines.append)
    except FileNotFoundError as error:
        raise GitFailed(
            f"Git cannot be run: {error}. Install git, or serve a folder by --project-dir."
        ) from error
    if code == 0:
        return "".join(lines)
    if may_fail:
        return ""
    raise _failed(words, code, "".join(lines))


def _failed(words: Sequence[str], code: int, output: str) -> GitFailed:
    verb = next((word for word in words if not word.startswith("-")), "")
    last = "\n".join(output.rstrip().splitlines()[-_SHOWN_LINES:])
    return GitFailed(
        f"The project's sources could not be fetched: git {verb} ended with exit code {code}.\n"
        f"{masked(last)}\n"
        "Check the address, and that 'git ls-remote' reaches it from here without asking for a password."
    )


def _environment(variables: dict[str, str]) -> dict[str, str]:
    access = {name: os.environ[name] for name in _ACCESS if name in os.environ}
    return process.bare_environment({**access, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", **variables})
