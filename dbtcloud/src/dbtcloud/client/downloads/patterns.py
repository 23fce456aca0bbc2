"""Which artifacts are meant by a name or a pattern, and which names may become files."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath, PureWindowsPath

from dbtcloud.client.errors import ArtifactError, ArtifactMissing, InvalidArgument
from dbtcloud.client.protocol import file_path

CONTROL = re.compile(r"[\x00-\x1f\x7f]")

SHOWN = 5
"""Names of other artifacts that an error shows."""


def is_pattern(name: str) -> bool:
    """Whether a name stands for several: it holds `*`, `?` or `[`."""
    return any(character in name for character in "*?[")


def matches(path: str, pattern: str) -> bool:
    """Whether a path is meant: `*`, `?` and `[ab]` stay within a folder, `**` goes through any number."""
    return path == pattern or _fits(path.split("/"), pattern.split("/"))


def _fits(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    if not wanted:
        return not parts
    if wanted[0] == "**":
        return bool(parts) and (len(wanted) == 1 or _fits(parts, wanted[1:]) or _fits(parts[1:], wanted))
    return bool(parts) and fnmatchcase(parts[0], wanted[0]) and _fits(parts[1:], wanted[1:])


def chosen(names: Iterable[str], wanted: Iterable[str]) -> tuple[list[str], list[str]]:
    """The artifacts that are meant, each once and in the order asked for; and patterns that mean none."""
    there = sorted(names)
    found: dict[str, None] = {}
    barren: list[str] = []
    for name in wanted:
        meant = [path for path in there if matches(path, name)] if is_pattern(name) else [name]
        found |= dict.fromkeys(meant)
        barren += [] if meant else [name]
    return list(found), barren


def inside(path: str) -> str:
    """An artifact's path, as a path below any folder.

    Raises:
        ArtifactError: If it would lead out of the folder, or cannot be the name of a file: if it is absolute,
            or has `..`, a drive, a backslash or a control character, also percent-encoded.
    """
    try:
        file_path(path)
        leaves = bool(PureWindowsPath(path).drive) or CONTROL.search(path) is not None
    except InvalidArgument:
        leaves = True
    if leaves:
        raise ArtifactError(
            f"The artifact {path!r} is not written",
            why="Its name would lead out of the folder that it is to be written to, or can be no file's",
            fix="Name the artifacts that you want; if dbt Cloud lists this one, tell its support",
        )
    return str(PurePosixPath(path))


def missing(run_id: int | str, path: str, names: Sequence[str], *, why: str = "") -> ArtifactMissing:
    """The error for an artifact, or a pattern, of which a run has none; it shows what the run has."""
    similar = difflib.get_close_matches(path, names, SHOWN)
    ranked = [*similar, *sorted(set(names) - set(similar), key=lambda name: (name.count("/"), name))]
    more = f" and {len(ranked) - SHOWN} more" if len(ranked) > SHOWN else ""
    others = f"It has {', '.join(ranked[:SHOWN])}{more}" if ranked else "It has none at all"
    return ArtifactMissing(
        f"Run {run_id} has no artifact {path!r}",
        why=". ".join(part for part in (why, others) if part),
        fix="Correct the name, or let the job make it: `dbt docs generate` writes catalog.json, "
        "`dbt source freshness` writes sources.json",
    )
