"""Shortens messages of dbt and of databases so that their cause remains."""

from __future__ import annotations

MAX_MESSAGE = 300
"""Characters of a message in a table, a summary or an XCom."""

_TRACEBACK = "Traceback (most recent call last)"
_MARK = "… "


def shorten(text: str, limit: int = MAX_MESSAGE) -> str:
    """Return a text of at most `limit` characters, with "…" where something was left out.

    The frames of Python's tracebacks are left out first. Then the beginning and the end of the text remain:
    more of the beginning, where a database names its error, or more of the end, where a traceback does.
    """
    if len(text) <= limit:
        return text
    short = _without_frames(text)
    if len(short) <= limit:
        return short
    room = limit - len(_MARK)
    end = room * 2 // 3 if _TRACEBACK in text else room // 3
    return f"{short[: room - end].rstrip()}{_MARK}{short[-end:]}"


def one_line(text: str, limit: int = MAX_MESSAGE) -> str:
    """Return a text on one line, shortened to `limit` characters."""
    if len(_joined(text)) > limit:
        text = _without_frames(text)
    return shorten(_joined(text), limit)


def _joined(text: str) -> str:
    return " ".join(text.split())


def _without_frames(text: str) -> str:
    """Return a text in which "…" stands for the frames of each traceback.

    The frames are the lines below the heading that are indented more than the heading.
    """
    kept: list[str] = []
    frames_of: int | None = None  # indentation of the heading whose frames are being left out
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if frames_of is not None and line.strip() and indent <= frames_of:
            frames_of = None
        if frames_of is None:
            kept.append(line)
        if line.lstrip().startswith(_TRACEBACK):
            frames_of = indent
            kept.append(" " * indent + _MARK.strip())
    return "\n".join(kept)
