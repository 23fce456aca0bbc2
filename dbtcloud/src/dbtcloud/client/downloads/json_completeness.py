"""Check whether JSON text is complete without parsing it."""

from __future__ import annotations

import re

_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_OPENING, _CLOSING = (b"{", b"["), (b"}", b"]")


class JsonCompleteness:
    """A check of JSON text that arrives in chunks: its first and its last byte must fit together.

    Args:
        nesting: Whether every brace and bracket must be closed, too. That takes some seconds for a GiB, so it
            is only for text whose end nothing else shows.
    """

    __slots__ = ("_first", "_last", "_nesting")

    def __init__(self, *, nesting: bool = False) -> None:
        self._first = self._last = b""
        self._nesting = _Nesting() if nesting else None

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._first = self._first or chunk.lstrip()[:1]
        # Stripping copies, so look for the last byte in a short piece first.
        self._last = chunk[-64:].rstrip()[-1:] or chunk.rstrip()[-1:] or self._last
        if self._nesting is not None:
            self._nesting.add(chunk)

    def fault(self) -> str | None:
        """Return why the text is not a JSON object or list, or None if it seems to be one."""
        if not self._first:
            return "It is empty"
        if self._first == b"<":
            return "It is a web page (HTML), perhaps from a login page or a proxy"
        if self._first not in _OPENING:
            return "It does not begin with { or ["
        if (self._first, self._last) not in zip(_OPENING, _CLOSING, strict=True):
            return "It is incomplete"
        return "It is incomplete" if self._nesting is not None and self._nesting.is_open else None


class _Nesting:
    """The number of open braces and brackets. A parser would be slower and refuse NaN."""

    __slots__ = ("_backslash", "_depth", "_in_string")

    def __init__(self) -> None:
        self._depth, self._in_string, self._backslash = 0, False, b""

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        text = _ESCAPED.sub(b"", self._backslash + chunk)
        self._backslash = b"\\" if text.endswith(b"\\") else b""  # the character that it escapes comes next
        parts = text.split(b'"')
        outside_strings = b"".join(parts[self._in_string :: 2])
        self._depth += sum(map(outside_strings.count, _OPENING)) - sum(map(outside_strings.count, _CLOSING))
        self._in_string ^= len(parts) % 2 == 0

    @property
    def is_open(self) -> bool:
        """True if a string, an object or a list has not ended."""
        return self._in_string or self._depth != 0
