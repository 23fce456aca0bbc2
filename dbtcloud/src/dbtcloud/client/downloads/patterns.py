"""Patterns for the names of artifacts, and the names that may become files."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from dbtcloud.client.errors import ArtifactError, InvalidArgument
from dbtcloud.client.protocol import file_path

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


class ArtifactSelection:
    """The artifacts that somebody wants.

    In a pattern, `*`, `?` and `[ab]` match within a folder, and `**` matches any number of folders.

    Args:
        wanted: Names and patterns.
    """

    def __init__(self, wanted: Iterable[str]) -> None:
        self._wanted = list(wanted)

    @property
    def has_patterns(self) -> bool:
        """Whether a name can stand for several artifacts."""
        return any(map(_is_pattern, self._wanted))

    def select(self, names: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return the wanted artifacts, and the patterns that match none.

        Args:
            names: The artifacts that a run has. A wanted name is returned even if it is not among them.
        """
        available = sorted(names)
        selected: dict[str, None] = {}  # a set that keeps the order
        unmatched: list[str] = []
        for name in self._wanted:
            found = [path for path in available if _matches(path, name)] if _is_pattern(name) else [name]
            selected |= dict.fromkeys(found)
            unmatched += [] if found else [name]
        return list(selected), unmatched


def _is_pattern(name: str) -> bool:
    return any(character in name for character in "*?[")


def _matches(path: str, pattern: str) -> bool:
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
