"""Reads JSON that arrives in chunks, and gives long strings in pieces.

ijson gives each string as a whole. A step's log can be a string of a hundred megabytes.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

# Possessive quantifiers: a string of any length is matched without a stack.
_STRING = re.compile(r'[^"\\]*+(?:\\(?:u[0-9a-fA-F]{4}|[^u])[^"\\]*+)*+')
_TOKEN = re.compile(r'["{}\[\],:]|[^\s"{}\[\],:]++')

_MAX_DEPTH = 100
_MAX_ESCAPE = len("\\u0000")
_MAX_NAME = 1000  # characters of a field's name or of a literal
_HIGH_SURROGATES = ("\ud800", "\udbff")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a value.

    Attributes:
        path: Names from the top, separated by dots, with `item` for the items of a list.
        text: The text of the piece. A number, `true`, `false` or `null` comes as it is written, and the end
            of an object or a list as its bracket.
        is_string: Whether the value is a string.
        is_last: Whether the value ends here.
    """

    path: str
    text: str
    is_string: bool = False
    is_last: bool = True


class JsonPieces:
    """A parser of one JSON text that arrives in chunks.

    Raises:
        ValueError: From `feed` and `finish`, if the text is not JSON or is nested more than 100 levels deep.
    """

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._rest = ""  # what may continue in the next chunk: a part of an escape or of a literal
        self._surrogate = ""  # the first half of a character that is written as two escapes
        self._in_string = False
        self._containers: list[tuple[str, bool]] = []  # the path of each open one, and whether it is a list
        self._name = self._value = ""
        self._is_value = True  # whether the next string is a value, not the name of a field
        self._is_complete = False

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """Take the next bytes, and yield the pieces that they hold."""
        text, position = self._rest + self._decode(chunk), 0
        self._rest = ""
        while position < len(text):
            if self._in_string:
                end = self._end_of_part(text, position)
                is_last = text[end : end + 1] == '"'
                yield from self._string(text[position:end], is_last=is_last)
                if not is_last:
                    self._rest = text[end:]
                    if len(self._rest) > _MAX_ESCAPE:
                        raise ValueError(f"An invalid escape {self._rest[:_MAX_ESCAPE]!r}")
                    return
                position = end + 1
                continue
            token = _TOKEN.search(text, position)
            if token is None:
                return
            position = token.end()
            if position == len(text) and token[0] not in '"{}[],:':
                self._rest = token[0][:_MAX_NAME]
                return
            yield from self._take(token[0])

    def finish(self) -> None:
        """Check that the text is complete."""
        if not self._is_complete or self._in_string or self._containers or self._rest:
            raise ValueError("It is incomplete")

    @staticmethod
    def _end_of_part(text: str, position: int) -> int:
        matched = _STRING.match(text, position)
        assert matched is not None  # it also matches nothing
        return matched.end()

    def _string(self, part: str, *, is_last: bool) -> Iterator[Piece]:
        text = self._surrogate + json.loads(f'"{part}"', strict=False)
        # A lone half would be no text. The other half may come in the next part.
        self._surrogate = ""
        if not is_last and _HIGH_SURROGATES[0] <= text[-1:] <= _HIGH_SURROGATES[1]:
            text, self._surrogate = text[:-1], text[-1]
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        self._in_string = not is_last
        if self._is_value:
            yield Piece(self._path, text, is_string=True, is_last=is_last)
        else:
            self._name = (self._name + text)[:_MAX_NAME]

    def _take(self, mark: str) -> Iterator[Piece]:
        if mark == '"':
            self._in_string = True
            if not self._is_value:
                self._name = ""
        elif mark in "{[":
            self._open(mark)
        elif mark in "}]":
            self._close(mark)
            yield Piece(self._path, mark)
        elif mark == ",":
            self._is_value = self._in_list
        elif mark == ":":
            self._is_value = True
        else:
            yield Piece(self._path, mark)

    @property
    def _in_list(self) -> bool:
        return bool(self._containers) and self._containers[-1][1]

    @property
    def _path(self) -> str:
        """The path of the value that begins or ends here."""
        if not self._containers:
            return ""
        container, is_list = self._containers[-1]
        return f"{container}.{'item' if is_list else self._name}".lstrip(".")

    def _open(self, mark: str) -> None:
        if len(self._containers) == _MAX_DEPTH:
            raise ValueError(f"It is nested more than {_MAX_DEPTH} levels deep")
        self._containers.append((self._path, mark == "["))
        self._is_value = mark == "["

    def _close(self, mark: str) -> None:
        if not self._containers or self._in_list != (mark == "]"):
            raise ValueError(f"An unexpected {mark!r}")
        path, _ = self._containers.pop()
        self._name = path.rpartition(".")[2]
        self._is_complete = not self._containers
