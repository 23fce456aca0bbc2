"""Makes standard JSON of what Python writes: `NaN` and `Infinity` are in dbt's artifacts and no JSON.

The parser sees numbers in their place. Python writes neither of them on its own: such a float would be
`Infinity`, and an integer has no exponent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any

_NAN, _INFINITY = b"NaN", b"Infinity"
_NUMBERS = {_NAN: b"1e987654321", _INFINITY: b"1e999"}
"""What the parser sees instead."""

_NOT_A_NUMBER = Decimal(_NUMBERS[_NAN].decode())
_WORD = re.compile(b"(NaN|Infinity)")
_BEGINNINGS = sorted(
    {word[:n] for word in (_NAN, _INFINITY, b"-Infinity") for n in range(1, len(word) + 1)},
    key=len,
    reverse=True,
)


def standard_json(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """JSON in which words for numbers have become numbers; texts stay as they are, and no piece is empty.

    Args:
        stream: JSON as Python writes it; it is read forwards only.
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
    """The number that the parser has seen as Python's own parser gives it: an int as it is, else a float."""
    if isinstance(value, Decimal):
        return math.nan if value == _NOT_A_NUMBER else float(value)
    return value


def _translated(given: bytes, in_text: int) -> tuple[bytes, int]:
    """A piece that cuts no word, and whether it ends within a text (1) or not (0), as it began."""
    pieces = _WORD.split(given) if _NAN in given or _INFINITY in given else [given]  # splitting is slow
    for n, piece in enumerate(pieces):
        if n % 2 == 0:
            in_text ^= _quotes(piece) % 2
        elif not in_text:
            pieces[n] = _number_for(piece, pieces[n - 1])
    return b"".join(pieces), in_text


def _number_for(word: bytes, before: bytes) -> bytes:
    """Apart from what stands around it, so that `1NaN` and `-NaN` stay the faults that they are."""
    signed = word == _INFINITY and before.endswith(b"-")
    return (b"" if signed else b" ") + _NUMBERS[word] + b" "


def _unfinished(piece: bytes) -> bytes:
    """The end of a piece that has to be seen with the next one: half an escape, or what may begin a word."""
    if (len(piece) - len(piece.rstrip(b"\\"))) % 2:
        return b"\\"
    return next((word for word in _BEGINNINGS if piece.endswith(word)), b"")


def _quotes(piece: bytes) -> int:
    """How many texts begin or end in a piece that cuts no escape."""
    piece = piece.replace(b"\\\\", b"")
    return piece.count(b'"') - piece.count(b'\\"')
