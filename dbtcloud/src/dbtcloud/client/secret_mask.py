"""Find a secret in a text in whatever form: as it is, escaped, percent-encoded, in base64 or hexadecimal."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

_MASK = "***"
_MIN_ENCODED = 8  # a shorter piece of base64 is in many texts by chance
_MIN_WITHIN_WORDS = 6  # a shorter secret is masked as a whole word only
_MAX_DECODINGS = 4
# Of JSON, Python and shells; of URLs; of HTML. A run of backslashes is the escape of an escape.
_ESCAPE = re.compile(
    r"\\++(?:u\{?0{0,4}(?P<json>[0-9a-fA-F]{2})\}?|x(?P<python>[0-9a-fA-F]{2})|)"
    r"|%(?P<url>[0-9a-fA-F]{2})|&\#?\w{1,10};"
)
_ENCODED_WORD = re.compile(r"[A-Za-z0-9+/_=-]{0,200}")


def mask_secret(text: str, secret: str) -> str:
    """Return a text with a secret masked, also where letters of it have another case, as in a host."""
    if not secret:
        return text
    parts, at = [], 0
    for start, end in sorted(_spans(text, _Forms.of(secret), _MAX_DECODINGS)):
        if end > at:
            parts += [text[at : max(start, at)], _MASK if start >= at else ""]
            at = end
    return "".join(parts) + text[at:]


def _spans(text: str, forms: _Forms, decodings: int) -> Iterator[tuple[int, int]]:
    """Yield where a text has a form of the secret, also after it is decoded."""
    yield from forms.spans(text)
    if decodings:
        decoded = _Decoded(text)
        if decoded.text != text:
            yield from map(decoded.original, _spans(decoded.text, forms, decodings - 1))


class _Forms:
    """The secret as it is, and what base64 and hexadecimal make of it."""

    @staticmethod
    @lru_cache(maxsize=32)
    def of(secret: str) -> _Forms:
        """Return the forms of a secret."""
        return _Forms(secret)

    def __init__(self, secret: str) -> None:
        plain = re.escape(secret)
        if len(secret) < _MIN_WITHIN_WORDS:
            plain = rf"(?<!\w){plain}(?!\w)"
        encoded = "|".join(map(re.escape, _encodings(secret.encode())))
        self._pattern = re.compile(f"(?P<encoded>{encoded})|{plain}" if encoded else plain, re.IGNORECASE)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where a text has one of the forms."""
        for match in self._pattern.finditer(text):
            if match.lastgroup == "encoded":
                yield _encoded_word(text, *match.span())
            else:
                yield match.span()


def _encoded_word(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of the whole word, whose characters beside a span share bits with it."""
    before = _ENCODED_WORD.match(text[max(start - 200, 0) : start][::-1])
    after = _ENCODED_WORD.match(text, end)
    return start - (before.end() if before else 0), after.end() if after else end


def _encodings(secret: bytes) -> Iterator[str]:
    """Yield the secret in hexadecimal, and what base64 makes of it behind zero, one or two other bytes."""
    if len(secret) >= _MIN_WITHIN_WORDS:
        yield secret.hex()
    for before in range(3):
        encoded = b64encode(bytes(before) + secret).decode()
        # The first and last characters may hold bits of the bytes around the secret.
        core = encoded[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]
        if len(core) >= _MIN_ENCODED:
            yield from {core, core.replace("+", "-").replace("/", "_")}


class _Decoded:
    """A text without its escapes, which knows where each character was.

    Attributes:
        text: the text after it is decoded once.
    """

    def __init__(self, original: str) -> None:
        self._at, self._original_at, self._ends = [0], [0], [0]
        parts: list[str] = []
        at = end = 0
        for match in _ESCAPE.finditer(original):
            character = _decoded_escape(match)
            between = original[end : match.start()]
            parts += [between, character]
            at, end = at + len(between), match.end()
            self._add(at, match.start(), end)
            at += len(character)
            self._add(at, end, end)
        self.text = "".join([*parts, original[end:]])

    def _add(self, at: int, original_at: int, end: int) -> None:
        self._at.append(at)
        self._original_at.append(original_at)
        self._ends.append(end)

    def original(self, span: tuple[int, int]) -> tuple[int, int]:
        """Return where a span of the decoded text is in the original text."""
        first, last = self._place(span[0]), self._place(span[1] - 1)
        start = self._original_at[first] + span[0] - self._at[first]
        is_escape = self._ends[last] > self._original_at[last]
        end = self._ends[last] if is_escape else self._original_at[last] + span[1] - self._at[last]
        return start, end

    def _place(self, index: int) -> int:
        return bisect_right(self._at, index) - 1


def _decoded_escape(match: re.Match[str]) -> str:
    if match[0].startswith("&"):
        decoded = html.unescape(match[0])
        return decoded if decoded.isascii() else match[0]
    code = match["json"] or match["python"] or match["url"]
    return chr(int(code, 16)) if code else ""
