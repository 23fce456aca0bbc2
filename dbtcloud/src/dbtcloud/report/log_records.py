"""Splits a log of dbt into its messages.

dbt writes one line for each event, and the other lines of a message below it. With `--log-format json` a line
is an object that also names the node (dbt: "Events and structured logs").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self

from dbtcloud.artifacts.json_values import Fields

# "03:38:29  Running with dbt=1.11.16", or "03:38:29.523320 [info ] [Thread-1 (]: …" in a debug log.
_PREFIX = re.compile(
    r"(\d{4}-\d\d-\d\d[ T])?\d\d:\d\d:\d\d(\.\d+)?Z?(\s+|$)(\[(?P<level>\w+) *\] \[(?P<thread>.*?)\]: ?)?"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # escaped in JSON, so that the lines still have it
_FATAL = re.compile(r"Encountered an error|\[?(error|fatal)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One message of a log.

    Attributes:
        lines: The message as it is shown, with its time.
        text: The message without its time.
        level: "debug", "info", "warn" or "error", or "" where the log does not say.
        thread: The thread that logged it, or "" where the log does not say.
        unique_id: The node that a structured event names, or "".
        error: The error that a structured event has, or "".
    """

    lines: tuple[str, ...]
    text: str
    level: str = ""
    thread: str = ""
    unique_id: str = ""
    error: str = ""

    @classmethod
    def split(cls, lines: Iterable[str]) -> Iterator[Self]:
        """Yield the messages of a log. A line before the first time is a message of its own."""
        current: Self | None = None
        timed = False
        for line in lines:
            event = cls._of_event(line) if line.startswith("{") else None
            prefix = None if event else _PREFIX.match(line)
            if current and timed and not event and not prefix:
                current = replace(current, lines=(*current.lines, line), text=f"{current.text}\n{line}")
                continue
            if current:
                yield current
            timed = prefix is not None
            current = event or cls._of_text(line, prefix)
        if current:
            yield current

    @classmethod
    def _of_text(cls, line: str, prefix: re.Match[str] | None) -> Self:
        if prefix is None:
            return cls((line,), line)
        return cls((line,), line[prefix.end() :], (prefix["level"] or "").lower(), prefix["thread"] or "")

    @classmethod
    def _of_event(cls, line: str) -> Self | None:
        """Return the message of a structured event, or None if the line is not one."""
        try:
            event = Fields(json.loads(line))
        except (ValueError, RecursionError):
            return None
        info, data = event.mapping("info"), event.mapping("data")
        if not (info.text("name") or info.text("msg")):
            return None
        text = _COLOUR.sub("", info.text("msg"))
        return cls(
            tuple(line.rstrip() for line in text.splitlines() if line.strip()),
            text,
            info.text("level").lower(),
            info.text("thread"),
            data.mapping("node_info").text("unique_id") or data.text("unique_id"),
            data.text("exc"),
        )

    @property
    def is_warning(self) -> bool:
        """Whether it is a warning, such as the summary of deprecations with which dbt ends."""
        return self.level.startswith("warn") or self.text.startswith("[WARNING]")

    @property
    def is_fatal(self) -> bool:
        """Whether it says why the whole command failed."""
        return bool(_FATAL.match(self.text))
