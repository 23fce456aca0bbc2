"""Access to the pages: the one-time code of a link opens a session, which a cookie carries."""

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler

from dbtcloud.local.control.control import ControlPlane
from dbtcloud.local.control.page_sessions import PageSessions
from dbtcloud.local.pages.html import FORM_TOKEN, refusal_page, stale_form_page

_CODE = "code"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    # The address of a page may still have the code. With `no-referrer`, browsers would send the forms of
    # these pages with the origin `null`.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class PageAccess:
    """Lets browsers with a session see the pages, and programs with the server's own token.

    Args:
        control: the control plane, which makes the links.
    """

    def __init__(self, control: ControlPlane) -> None:
        self._authenticator, self._sessions = control.authenticator, control.page_sessions

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request for a page: with the page, by opening a session, or with how to open one."""
        code = request.query.get(_CODE) if request.method == "GET" else None
        session = self._sessions.open_session(code) if code else None
        if session is not None:
            return self._redirect(request, session)
        if not self._is_allowed(request):
            return web.Response(
                status=401, text=refusal_page(), content_type="text/html", charset="utf-8", headers=_HEADERS
            )
        if code:
            return self._redirect(request, None)
        if request.method == "POST" and not await self._has_form_token(request):
            return web.Response(
                status=403,
                text=stale_form_page(),
                content_type="text/html",
                charset="utf-8",
                headers=_HEADERS,
            )
        response = await handler(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _is_allowed(self, request: web.Request) -> bool:
        session = request.cookies.get(_cookie_name(request))
        return self._authenticator.is_owner(request) or bool(session and self._sessions.is_open(session))

    async def _has_form_token(self, request: web.Request) -> bool:
        given, expected = (await request.post()).get(FORM_TOKEN), form_token(self._sessions, request)
        return isinstance(given, str) and hmac.compare_digest(given.encode(), expected.encode())

    @staticmethod
    def _redirect(request: web.Request, session: str | None) -> web.Response:
        """Return a redirect to the page without the code, so that the code does not stay in the address."""
        response = web.Response(status=303, headers={"Location": request.rel_url.raw_path, **_HEADERS})
        if session is not None:
            response.set_cookie(
                _cookie_name(request),
                session,
                httponly=True,
                samesite="Lax",
                secure=request.secure,
            )
        return response


def form_token(sessions: PageSessions, request: web.Request) -> str:
    """Return the token that the forms of a page must send, as it is for the session of a request."""
    return sessions.form_token(request.cookies.get(_cookie_name(request), ""))


def _cookie_name(request: web.Request) -> str:
    # Browsers send a cookie to all ports of a host: two servers on one machine need two names.
    return f"dbtcloud_session_{request.url.port}"
