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
        del vars(self)["_thread_local"]

    @property
    def _thread(self) -> threading.local:
        local: threading.local | None = vars(self).get("_thread_local")
        if local is None:
            # `setdefault` is atomic: two threads that come first at the same time get the same object.
            local = vars(self).setdefault("_thread_local", threading.local())
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
        """This thread's session, signed with the token.

        Args:
            headers: Not used: `run` sends them with the request itself.
            extra_options: Options of the request about to be sent: `timeout`, `stream`, `allow_redirects` …
        """
        from dbtcloud.client.transport.sync_client import apply_transport, new_session

        access = self._credentials
        self.base_url = access.base_url
        if not hasattr(self._thread, "session"):
            self._thread.session = kept_alive(new_session(access.transport))
        options = {"timeout": access.transport.timeout, "allow_redirects": False, **(extra_options or {})}
        self.merged_extra = options
        session: Session = apply_transport(self._thread.session, access.transport)
        session.proxies = access.transport.requests_proxies(access.base_url)
        session.auth, session.stream = TokenAuth(access.token), bool(options.get("stream"))
        return session

    def run_and_check(
        self, session: Session, prepped_request: PreparedRequest, extra_options: dict[Any, Any]
    ) -> Response:
        """Send a prepared request; a status that is an error raises unless `check_response` is False."""
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
        """The address of an endpoint: a full URL as it is, a path below the connection's host."""
        place = endpoint or ""
        return place if "://" in place else f"{self._credentials.base_url}/{place.lstrip('/')}"

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes over: all but the sessions, which belong to threads of this process."""
        return {name: value for name, value in vars(self).items() if name != "_thread_local"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    def close(self) -> None:
        """Close this thread's session."""
        if hasattr(self._thread, "session"):
            self._thread.session.close()
            del self._thread.session


def kept_alive(session: Session) -> Session:
    """Have the operating system keep idle connections open, as HttpHook does; made here only when needed."""
    from requests_toolbelt.adapters.socket_options import TCPKeepAliveAdapter

    for scheme in ("https://", "http://"):
        session.mount(scheme, TCPKeepAliveAdapter(idle=120, count=20, interval=30))
    return session
