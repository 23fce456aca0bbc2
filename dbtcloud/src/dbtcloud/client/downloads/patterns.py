"""Patterns for the names of artifacts, and the names that may become files."""

from __future__ import annotations

import difflib
import ntpath
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from dbtcloud.client.errors import ArtifactError, ArtifactMissing, InvalidArgument
from dbtcloud.client.protocol import file_path

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")
_NAMES_IN_MESSAGE = 5


def is_pattern(name: str) -> bool:
    """Return whether a name can stand for several artifacts, because it has `*`, `?` or `[`."""
    return any(character in name for character in "*?[")


def _matches_pattern(path: str, pattern: str) -> bool:
    """Return whether a path matches a pattern.

    `*`, `?` and `[ab]` match within a folder, `**` matches any number of folders.
    """
    return path == pattern or _parts_match(path.split("/"), pattern.split("/"))


def _parts_match(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return not parts
    if not parts:
        return False
    if patterns[0] == "**":
        rest = patterns[1:]
        return not rest or _parts_match(parts, rest) or _parts_match(parts[1:], patterns)
    return fnmatchcase(parts[0], patterns[0]) and _parts_match(parts[1:], patterns[1:])


def select_artifacts(names: Iterable[str], wanted: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the wanted artifacts, and the patterns that match none.

    Args:
        names: The artifacts that a run has.
        wanted: Names and patterns. A name is returned even if the run has no such artifact.
    """
    available = sorted(names)
    selected: dict[str, None] = {}  # a set that keeps the order
    unmatched: list[str] = []
    for name in wanted:
        found = [path for path in available if _matches_pattern(path, name)] if is_pattern(name) else [name]
        selected |= dict.fromkeys(found)
        unmatched += [] if found else [name]
    return list(selected), unmatched


def relative_path(path: str) -> str:
    """Return an artifact's path if it is safe to append to a folder.

    Raises:
        ArtifactError: If it would leave the folder or cannot be the name of a file: it is absolute, or has
            `..`, a drive, a backslash or a control character, also percent-encoded.
    """
    try:
        file_path(path)
        is_unsafe = bool(ntpath.splitdrive(path)[0]) or _CONTROL_CHARACTERS.search(path) is not None
    except InvalidArgument:
        is_unsafe = True
    if is_unsafe:
        raise ArtifactError(
            f"The artifact {path!r} was not written",
            why="Its name would leave the target folder or cannot be the name of a file",
            fix="Name the artifacts that you want; if dbt Cloud lists this one, tell its support",
        )
    return path


def artifact_missing(run_id: int | str, path: str, names: Sequence[str], *, why: str = "") -> ArtifactMissing:
    """Return the error for an artifact or a pattern that a run does not have.

    Args:
        run_id: The run.
        path: The artifact or the pattern.
        names: The artifacts that the run has. The message shows the most similar ones.
        why: A reason that comes first in the message.
    """
    similar = difflib.get_close_matches(path, names, _NAMES_IN_MESSAGE)
    ranked = [*similar, *sorted(set(names) - set(similar), key=lambda name: (name.count("/"), name))]
    more = f" and {len(ranked) - _NAMES_IN_MESSAGE} more" if len(ranked) > _NAMES_IN_MESSAGE else ""
    others = f"It has {', '.join(ranked[:_NAMES_IN_MESSAGE])}{more}" if ranked else "It has no artifacts"
    return ArtifactMissing(
        f"Run {run_id} has no artifact {path!r}",
        why=". ".join(part for part in (why, others) if part),
        fix="Correct the name, or let the job write it: `dbt docs generate` writes catalog.json, "
        "`dbt source freshness` writes sources.json",
    )
