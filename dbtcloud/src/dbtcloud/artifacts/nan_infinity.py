"""Replaces `NaN` and `Infinity`, which dbt writes although they are not JSON, by numbers that stand for them.

These numbers cannot be in the file already: Python writes such a float as `Infinity`, and an integer without
an exponent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any

_NAN, _INFINITY = b"NaN", b"Infinity"
_NUMBERS = {_NAN: b"1e987654321", _INFINITY: b"1e999"}

_NOT_A_NUMBER = Decimal(_NUMBERS[_NAN].decode())
_WORD = re.compile(b"(NaN|Infinity)")
_BEGINNINGS = sorted(
    {word[:n] for word in (_NAN, _INFINITY, b"-Infinity") for n in range(1, len(word) + 1)},
    key=len,
    reverse=True,
)


def standard_json(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield the stream as standard JSON, in pieces that are not empty.

    Texts stay as they are, also if they contain the words.

    Args:
        stream: JSON as Python writes it. It is read forwards only.
        size: Bytes that are read at a time.
    """
    kept, in_text = b"", 0
    while piece := stream.read(size):
        whole = kept + piece
        kept = _unfinished(whole)
        if given := whole.removesuffix(kept):
            piece, in_text = _translated(given, in_text)
            yield piece
    if kept:
        yield _translated(kept, in_text)[0]


def python_number(value: Any) -> Any:
    """Return a number of the parser as Python's own parser would: an int unchanged, otherwise a float."""
    if isinstance(value, Decimal):
        return math.nan if value == _NOT_A_NUMBER else float(value)
    return value


def _translated(given: bytes, in_text: int) -> tuple[bytes, int]:
    """Replace the words in a piece, and return whether it ends within a text (1) or not (0).

    The piece must not cut a word. `in_text` says the same of its beginning.
    """
    pieces = _WORD.split(given) if _NAN in given or _INFINITY in given else [given]  # splitting is slow
    for n, piece in enumerate(pieces):
        if n % 2 == 0:
            in_text ^= _quotes(piece) % 2
        elif not in_text:
            pieces[n] = _number_for(piece, pieces[n - 1])
    return b"".join(pieces), in_text


def _number_for(word: bytes, before: bytes) -> bytes:
    """Return the number between spaces, so that `1NaN` and `-NaN` remain errors."""
    signed = word == _INFINITY and before.endswith(b"-")
    return (b"" if signed else b" ") + _NUMBERS[word] + b" "


def _unfinished(piece: bytes) -> bytes:
    """Return the end of a piece that belongs to the next one: half an escape, or the beginning of a word."""
    if (len(piece) - len(piece.rstrip(b"\\"))) % 2:
        return b"\\"
    return next((word for word in _BEGINNINGS if piece.endswith(word)), b"")


def _quotes(piece: bytes) -> int:
    """Count the quotes that begin or end a text, in a piece that does not cut an escape."""
    piece = piece.replace(b"\\\\", b"")
    return piece.count(b'"') - piece.count(b'\\"')
