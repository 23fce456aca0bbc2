"""Authentication: of the API by token, of the control plane and the pages by the address of this machine."""

import hashlib
import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web

from dbtcloud.local.control.permissions import OWNER, Grant
from dbtcloud.local.model.api_errors import ApiException

_SCHEMES = ("Token", "Bearer")
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class Authenticator:
    """Checks tokens. It keeps only their digests, so that it cannot reveal one.

    Args:
        token: the server's own token, which allows everything; `Authorization: Token …` or `Bearer …`.
        on_loopback: whether the server listens on loopback; control plane and pages need no token then.
    """

    def __init__(self, token: str, *, on_loopback: bool) -> None:
        self._own = _digest(token)
        self._grants = {self._own: OWNER}
        self._on_loopback = on_loopback
        self.keep_tokens()

    def add_token(self, permission_sets: Iterable[str], token: str | None = None) -> str:
        """Accept another token, limited to some permission sets, and return it.

        Args:
            permission_sets: names out of `dbtcloud.local.control.permissions`.
            token: the token; None generates one.

        Raises:
            ValueError: A permission set is unknown, or the token is the server's own.
        """
        new = token or f"local_{secrets.token_urlsafe(24)}"
        if _digest(new) == self._own:
            raise ValueError("The server's own token keeps all permissions. Choose another token.")
        self._grants[_digest(new)] = Grant.of(permission_sets)
        return new

    def keep_tokens(self) -> None:
        """Let `reset` keep the tokens that are known now."""
        self._kept = dict(self._grants)

    def reset(self) -> None:
        """Forget all tokens but those that were kept."""
        self._grants = dict(self._kept)

    def check_api(self, request: web.Request) -> Grant:
        """Return what the request's token allows.

        Raises:
            ApiException: 401: there is no token, or it is unknown.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        granted = self._grants.get(_digest(token.strip())) if scheme in _SCHEMES else None
        if granted is None:
            raise ApiException.invalid_token()
        return granted

    def check_outside_api(self, request: web.Request) -> None:
        """Check a request for the control plane or the pages.

        Raises:
            ApiException: 403: on loopback, the request comes from a web page of another origin; 401: off
                loopback, it does not carry the server's own token.
        """
        if not self._on_loopback:
            if self.check_api(request) is not OWNER:
                raise ApiException.invalid_token()
            return
        # A page of another site could reach this port by a name of its own that resolves to 127.0.0.1.
        origin = request.headers.get("Origin")
        if _host(f"//{request.host}") not in LOOPBACK_HOSTS or (
            origin and urlsplit(origin).netloc != request.host
        ):
            raise ApiException(
                403, "The control plane and the pages are for this machine only. Use the loopback address."
            )


def _digest(token: str) -> bytes:
    # Looking digests up takes the same time for every token, right or wrong.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _host(url: str) -> str | None:
    return urlsplit(url).hostname
