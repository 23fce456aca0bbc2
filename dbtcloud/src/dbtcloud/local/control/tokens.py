"""Who may ask: the API takes tokens; control plane and pages are open to this machine itself only."""

import hashlib
import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web

from dbtcloud.local.control.permissions import OWNER, Grant, grant
from dbtcloud.local.model.api_errors import Refusal, bad_token

_SCHEMES = ("Token", "Bearer")
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class Guard:
    """Knows the tokens by their digests, so that it cannot show one.

    Args:
        token: what `Authorization: Token …` or `Bearer …` must carry to be allowed everything.
        open_additions: whether control plane and pages may be used without it, as on loopback only.
    """

    def __init__(self, token: str, *, open_additions: bool) -> None:
        self._own = _digest(token)
        self._grants = {self._own: OWNER}
        self._open_additions = open_additions
        self.settle()

    def add(self, permission_sets: Iterable[str], token: str | None = None) -> str:
        """Let a token in with no more than some permission sets; return it, made up where none is given.

        Raises:
            ValueError: for a permission set that is not known, and for the server's own token.
        """
        given = token or f"local_{secrets.token_urlsafe(24)}"
        if _digest(given) == self._own:
            raise ValueError("The server's own token keeps all permissions; choose another one.")
        self._grants[_digest(given)] = grant(permission_sets)
        return given

    def settle(self) -> None:
        """Let the tokens that are known by now stay when others are forgotten."""
        self._settled = dict(self._grants)

    def forget(self) -> None:
        """Let nothing in but the server's own token and those that it began with."""
        self._grants = dict(self._settled)

    def check_api(self, request: web.Request) -> Grant:
        """Return what the request's token is allowed; refuse with 401 what carries none that is known."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        allowed = self._grants.get(_digest(given.strip())) if scheme in _SCHEMES else None
        if allowed is None:
            raise bad_token()
        return allowed

    def check_own(self, request: web.Request) -> None:
        """Refuse web pages of other origins, and, off loopback, what does not carry the server's token."""
        if not self._open_additions:
            if self.check_api(request) is not OWNER:
                raise bad_token()
            return
        origin = request.headers.get("Origin")
        if _host(f"//{request.host}") not in LOOPBACK_NAMES or (
            origin and urlsplit(origin).netloc != request.host
        ):
            raise Refusal(
                403, "The control plane and the pages answer this machine only; ask at the loopback address."
            )


def _digest(token: str) -> bytes:
    # Looking digests up takes the same time for every token, right or wrong.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _host(url: str) -> str | None:
    return urlsplit(url).hostname
