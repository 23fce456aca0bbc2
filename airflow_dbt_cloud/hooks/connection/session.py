"""An HttpHook that keeps its session, and whose state does not leak from one request or thread to another."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.http.hooks.http import HttpHook
from requests.auth import AuthBase

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

    from dbtcloud.client.transport.credentials import Credentials


class TokenAuth(AuthBase):
    """Signs a request with a token (dbt Cloud API: "Authentication")."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the Authorization header."""
        request.headers["Authorization"] = f"Token {self.token}"
        return request

    def __repr__(self) -> str:
        return f"{type(self).__name__}(token='***')"


class KeptSessionHook(HttpHook):
    """Sends over one requests session per hook and thread.

    `HttpHook.run` makes a session for every request and hands method, base URL and options around in
    attributes; here those belong to the thread that sends, and each request starts with fresh options.
    """

    def __init__(self) -> None:
        super().__init__(auth_type=TokenAuth, tcp_keep_alive=False)
        # HttpHook has set a method and options in this thread. The hooks of thousands of triggers never use
        # them, and each such local is seven objects more for the garbage collector.
        del vars(self)["_thread"]

    @cached_property
    def _thread(self) -> threading.local:
        # `setdefault` is atomic: two threads that come first at the same time get the same object.
        local: threading.local = vars(self).setdefault("_thread", threading.local())
        return local

    @property
    def method(self) -> str:
        """The HTTP method of the next `run` in this thread."""
        return getattr(self._thread, "method", "POST")  # as in HttpHook

    @method.setter
    def method(self, method: str) -> None:
        self._thread.method = method.upper()

    @property
    def merged_extra(self) -> dict[str, Any]:
        """The options of the request that this thread is sending."""
        return getattr(self._thread, "options", {})

    @merged_extra.setter
    def merged_extra(self, options: dict[str, Any]) -> None:
        self._thread.options = options

    @cached_property
    def _credentials(self) -> Credentials:
        raise NotImplementedError

    def get_conn(
        self,
        headers: dict[Any, Any] | None = None,  # noqa: ARG002 -- HttpHook's signature
        extra_options: dict[str, Any] | None = None,
    ) -> Session:
        """Return this thread's session, which signs with the token.

        Args:
            headers: Not used: `run` sends them with the request itself.
            extra_options: Options of the request about to be sent: `timeout`, `stream`, `allow_redirects` …
        """
        credentials = self._credentials
        self.base_url = credentials.base_url
        # A connection that has changed has another token, and perhaps another proxy or certificate.
        if getattr(self._thread, "credentials", None) is not credentials:
            self.close()
            self._thread.session, self._thread.credentials = _new_session(credentials), credentials
        session: Session = self._thread.session
        options = {
            "timeout": credentials.transport.timeout,
            "allow_redirects": False,
            **(extra_options or {}),
        }
        self.merged_extra, session.stream = options, bool(options.get("stream"))
        return session

    def run_and_check(
        self, session: Session, prepped_request: PreparedRequest, extra_options: dict[Any, Any]
    ) -> Response:
        """Send a prepared request.

        An error status raises unless the option `check_response` is False.
        """
        response = session.send(
            prepped_request,
            timeout=extra_options["timeout"],
            allow_redirects=extra_options["allow_redirects"],
            proxies=self._credentials.transport.requests_proxies(str(prepped_request.url)),
            stream=session.stream,
            verify=session.verify,
            cert=session.cert,
        )
        if extra_options.get("check_response", True):
            self.check_response(response)
        return response

    def url_from_endpoint(self, endpoint: str | None) -> str:
        """Return the URL of an endpoint, which is a URL itself or a path on the connection's host."""
        place = endpoint or ""
        return place if "://" in place else f"{self._credentials.base_url}/{place.lstrip('/')}"

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for a copy, without the sessions, which belong to threads of this process."""
        return {name: value for name, value in vars(self).items() if name != "_thread"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    def close(self) -> None:
        """Close this thread's session."""
        if hasattr(self._thread, "session"):
            self._thread.session.close()
            del self._thread.session, self._thread.credentials


def _new_session(credentials: Credentials) -> Session:
    """Return a session that signs with the token."""
    from dbtcloud.client.transport.requests_session import new_session

    session = new_session(credentials.transport)
    session.auth = TokenAuth(credentials.token)
    session.proxies = credentials.transport.requests_proxies(credentials.base_url)
    return session
