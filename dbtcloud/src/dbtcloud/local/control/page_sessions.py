"""The sessions of browsers on the pages: each is opened once, by the code of a link."""

import hashlib
import hmac
import secrets
from collections import deque

_MAX_UNUSED_CODES = 100
_MAX_SESSIONS = 1_000


class PageSessions:
    """Issues one-time codes, and knows the sessions that they have opened.

    Sessions end with the server. Only digests are kept, so that looking one up takes the same time for each.
    """

    def __init__(self) -> None:
        self._codes: deque[bytes] = deque(maxlen=_MAX_UNUSED_CODES)
        self._sessions: deque[bytes] = deque(maxlen=_MAX_SESSIONS)
        self._form_key = secrets.token_bytes(32)

    def new_code(self) -> str:
        """Return a code that opens one session."""
        return _remember(self._codes)

    def open_session(self, code: str) -> str | None:
        """Return a new session for a code, or None if the code is unknown or was used before."""
        try:
            self._codes.remove(_digest(code))
        except ValueError:
            return None
        return _remember(self._sessions)

    def is_open(self, session: str) -> bool:
        """Return whether this is an open session."""
        return _digest(session) in self._sessions

    def form_token(self, session: str) -> str:
        """Return the token that the forms of a session's pages send, which no page of others can know."""
        return hmac.new(self._form_key, _digest(session), hashlib.sha256).hexdigest()


def _remember(digests: deque[bytes]) -> str:
    text = secrets.token_urlsafe(24)
    digests.append(_digest(text))
    return text


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
