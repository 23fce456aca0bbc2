"""What a JSON text shows of itself without being read: how it begins and ends, and whether all is closed."""

from __future__ import annotations

import re

ESCAPED = re.compile(rb"\\.", re.DOTALL)
BEGINNINGS, ENDINGS = (b"{", b"["), (b"}", b"]")


class JsonCompleteness:
    """The first and the last byte of a text that are no blanks.

    Args:
        nesting: Whether it is also followed how deep the text is nested: some seconds for a GiB, which only
            who cannot know otherwise whether a text is whole should spend.
    """

    __slots__ = ("_first", "_last", "_nesting")

    def __init__(self, *, nesting: bool = False) -> None:
        self._first = self._last = b""
        self._nesting = Nesting() if nesting else None

    def see(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._first = self._first or chunk.lstrip()[:1]
        self._last = chunk[-64:].rstrip()[-1:] or chunk.rstrip()[-1:] or self._last
        if self._nesting is not None:
            self._nesting.see(chunk)

    def fault(self) -> str | None:
        """What shows that it is no JSON object or list, or None."""
        if not self._first:
            return "It is empty"
        if self._first == b"<":
            return "It is a web page (HTML), as a login page or a proxy shows it"
        if self._first not in BEGINNINGS:
            return "It does not begin with { or ["
        if (self._first, self._last) not in zip(BEGINNINGS, ENDINGS, strict=True):
            return "It ends in the middle"
        return "It ends in the middle" if self._nesting is not None and self._nesting.is_open else None


class Nesting:
    """How many braces and brackets of a JSON text are open; a parser would take longer, and refuse NaN."""

    __slots__ = ("_depth", "_held", "_quoted")

    def __init__(self) -> None:
        self._depth, self._quoted, self._held = 0, False, b""

    def see(self, chunk: bytes) -> None:
        """Take the next bytes."""
        text = ESCAPED.sub(b"", self._held + chunk)
        self._held = b"\\" if text.endswith(b"\\") else b""
        parts = text.split(b'"')
        bare = b"".join(parts[self._quoted :: 2])
        self._depth += sum(map(bare.count, BEGINNINGS)) - sum(map(bare.count, ENDINGS))
        self._quoted ^= len(parts) % 2 == 0

    @property
    def is_open(self) -> bool:
        """Whether something has begun and not ended."""
        return self._quoted or self._depth != 0
