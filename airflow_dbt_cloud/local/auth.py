"""Who may ask: the API takes the token; control plane and pages are open to this machine itself only."""

import hmac
from urllib.parse import urlsplit

from aiohttp import web

from airflow_dbt_cloud.local.errors import Refusal, bad_token

_SCHEMES = ("Token", "Bearer")
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class Guard:
    """Holds the token and never shows it.

    Args:
        token: what `Authorization: Token …` or `Bearer …` must carry.
        open_additions: whether control plane and pages may be used without it, as on loopback only.
    """

    def __init__(self, token: str, *, open_additions: bool) -> None:
        self._token = token.encode()
        self._open_additions = open_additions

    def check_api(self, request: web.Request) -> None:
        """Refuse with 401 what does not carry the token."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme not in _SCHEMES or not hmac.compare_digest(given.strip().encode(), self._token):
            raise bad_token()

    def check_own(self, request: web.Request) -> None:
        """Refuse web pages of other origins, and, off loopback, what does not carry the token."""
        if not self._open_additions:
            self.check_api(request)
            return
        origin = request.headers.get("Origin")
        if _host(f"//{request.host}") not in LOOPBACK_NAMES or (
            origin and urlsplit(origin).netloc != request.host
        ):
            raise Refusal(
                403, "The control plane and the pages answer this machine only; ask at the loopback address."
            )


def _host(url: str) -> str | None:
    return urlsplit(url).hostname
