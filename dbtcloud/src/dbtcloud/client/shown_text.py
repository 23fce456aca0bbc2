"""What of a text may be shown: no passwords, and not more than a reader wants."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

MAX_MESSAGE = 10_000
"""Largest number of characters of an error's message."""

_MASK = "***"
# Proxies and repositories have their passwords in URLs; "Basic" is the header that is made of them.
_URL_CREDENTIALS = re.compile(r"(?<=//)[^/\s]+(?=@)|(?<=Basic )[\w+/=]+")
# dbt Cloud's service tokens and personal access tokens (dbt docs: "Service account tokens").
_TOKEN = re.compile(r"\bdbt[cu]_[A-Za-z0-9_=+/-]{20,}", re.ASCII | re.IGNORECASE)
_TOKEN_START = re.compile(r"\bdbt[cu]_|^\s*(?:token|bearer)\s", re.ASCII | re.IGNORECASE)

Mask: TypeAlias = Callable[[str], str]
"""Returns a text without the secrets in it."""


def cut_middle(text: str, limit: int) -> str:
    """Return a text without its middle if it is longer than `limit` characters.

    Twice as much is kept of its beginning, which says what happened, as of its end.
    """
    if len(text) <= limit:
        return text
    gap = f" […{len(text) - limit:,} characters…] "
    end = max((limit - len(gap)) // 3, 1)
    return f"{text[: max(limit - len(gap) - end, 0)]}{gap}{text[-end:]}"


def mask_credentials(text: str) -> str:
    """Return a text with the passwords of URLs and whatever has the form of dbt Cloud's tokens masked."""
    return _TOKEN.sub(_MASK, _URL_CREDENTIALS.sub(_MASK, text))


def mask_values(value: Any, mask: Mask) -> Any:
    """Return a value with all texts in it masked, also the keys of mappings."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {mask_values(key, mask): mask_values(each, mask) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(mask_values(each, mask) for each in value)
    return value


def shown_value(value: object, limit: int = 40) -> str:
    """Return a value that a user has given for an error message, or only its length.

    In a field for something else, a long text or one with the beginning of a token may be a pasted token.
    """
    text = str(value)
    return f"a text of {len(text)} characters" if len(text) > limit or is_like_token(text) else repr(value)


def is_like_token(text: str) -> bool:
    """Return whether a text has the beginning of dbt Cloud's tokens, or that of a header with one."""
    return _TOKEN_START.search(text) is not None
