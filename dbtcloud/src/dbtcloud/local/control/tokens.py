"""Authentication by tokens, and protection of the control plane and the pages from web pages of others."""

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
        control_token: the token of the control plane, which allows nothing else.
        on_loopback: whether the server listens on loopback, where its host has a loopback name.
    """

    def __init__(self, token: str, control_token: str, *, on_loopback: bool) -> None:
        self._own, self._control = _digest(token), _digest(control_token)
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
        granted = self._grants.get(_given_digest(request))
        if granted is None:
            raise ApiException.invalid_token()
        return granted

    def check_control(self, request: web.Request) -> None:
        """Check the token of a request for the control plane.

        Raises:
            ApiException: 401: it is neither the server's own token nor that of the control plane.
        """
        if not self.is_owner(request) and _given_digest(request) != self._control:
            raise ApiException.control_token_required()

    def is_owner(self, request: web.Request) -> bool:
        """Return whether a request carries the server's own token."""
        return _given_digest(request) == self._own

    def check_origin(self, request: web.Request) -> None:
        """Check that no web page of another origin sends a request for the control plane or the pages.

        Raises:
            ApiException: 403: one does, or on loopback, the host has a name of its own.
        """
        origin = request.headers.get("Origin")
        # A page of another site could reach this port by a name of its own that resolves to 127.0.0.1.
        is_rebound = self._on_loopback and _host(f"//{request.host}") not in LOOPBACK_HOSTS
        if is_rebound or (origin and urlsplit(origin).netloc != request.host):
            raise ApiException(
                403, "The control plane and the pages are for this machine only. Use the loopback address."
            )


def _given_digest(request: web.Request) -> bytes:
    """Return the digest of a request's token, which is empty if the request has none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return _digest(token.strip()) if scheme in _SCHEMES else b""


def _digest(token: str) -> bytes:
    # Looking digests up takes the same time for every token, right or wrong.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _host(url: str) -> str | None:
    return urlsplit(url).hostname
