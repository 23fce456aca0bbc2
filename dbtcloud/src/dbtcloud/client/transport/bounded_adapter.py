"""Sends requests of a session of requests so that each answer is complete in time, or fails.

requests and urllib3 bound only single reads: an answer whose bytes drip, or that begins with interim answers
(100, 102, 103), may take for ever. Here each read of the socket gets the time that is left for the answer.
"""

from __future__ import annotations

import io
import math
import socket
import time
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from dbtcloud.client.transport.time_limit import AnswerDeadline

_DEADLINE: ContextVar[AnswerDeadline | None] = ContextVar("dbt_cloud_answer_deadline", default=None)
"""The deadline of the answer that this thread is waiting for."""

_CONTINUE = 100
_SWITCHING_PROTOCOLS = 101

_KEEP_ALIVE = {"TCP_KEEPIDLE": 120, "TCP_KEEPINTVL": 30, "TCP_KEEPCNT": 20}
"""Seconds before the first probe of an idle connection and between two, and how many may fail."""


class BoundedAdapter(HTTPAdapter):
    """An adapter whose answers are complete within the request's timeout.

    Streamed answers have it for their head, and their bodies keep to a minimum rate (see `AnswerDeadline`).
    Idle connections are kept open.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of connections (see HTTPAdapter)."""
        super().init_poolmanager(*args, socket_options=_socket_options(), **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools of connections over a proxy (see HTTPAdapter)."""
        manager = super().proxy_manager_for(proxy, socket_options=_socket_options(), **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Response:
        """Send a request (see HTTPAdapter).

        Raises:
            requests.RequestException: If no answer arrives in time.
        """
        longest = timeout[-1] if isinstance(timeout, tuple) else timeout
        seconds = float(longest) if isinstance(longest, int | float) else math.inf
        token = _DEADLINE.set(AnswerDeadline(seconds, streamed=stream))
        try:
            return super().send(request, stream, timeout, *args, **kwargs)
        finally:
            _DEADLINE.reset(token)


def _socket_options() -> list[tuple[int, int, int]]:
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    known = {name: value for name, value in _KEEP_ALIVE.items() if hasattr(socket, name)}
    return options + [(socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in known.items()]


def _set_timeout(sock: Any) -> None:
    """Give a socket the time that is left for the answer."""
    if (deadline := _DEADLINE.get()) is not None:
        left = deadline.seconds_left()
        sock.settimeout(None if math.isinf(left) else left)


class _BoundedReader(io.RawIOBase):
    """Reads from a socket, each time for as long as the answer may still take.

    Args:
        sock: The socket, perhaps with TLS.
        raw: The reader of the socket.
        deadline: The deadline of the answer.
    """

    def __init__(self, sock: Any, raw: io.RawIOBase, deadline: AnswerDeadline) -> None:
        self._sock, self._raw, self._deadline = sock, raw, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline.seconds_left()
        self._sock.settimeout(None if math.isinf(left) else left)
        began = time.monotonic()
        count: int | None = self._raw.readinto(buffer)
        self._deadline.add(count or 0, time.monotonic() - began)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    """A response of http.client that is read until its deadline, and that skips every interim answer."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._deadline = _DEADLINE.get()
        if self._deadline is not None:
            raw: io.RawIOBase = self.fp.detach()
            self.fp = io.BufferedReader(_BoundedReader(sock, raw, self._deadline))

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        # http.client skips 100 only. It would take any other interim answer for the answer, and what follows
        # for the answer to the next request (RFC 9110, 15.2).
        is_interim = 100 <= status < 200 and status != _SWITCHING_PROTOCOLS
        return version, _CONTINUE if is_interim else status, reason

    def begin(self) -> None:
        super().begin()
        if self._deadline is not None:
            self._deadline.start_body()


class _BoundedHTTPConnection(HTTPConnection):
    """A connection that connects, sends and reads in the time that is left for the answer."""

    response_class = _BoundedResponse

    def send(self, data: Any) -> None:
        if self.sock is not None:  # otherwise sending connects first
            _set_timeout(self.sock)
        super().send(data)

    def _new_conn(self) -> socket.socket:
        deadline = _DEADLINE.get()
        if deadline is None:
            return super()._new_conn()
        # urllib3 would give each address of the host the whole timeout.
        host, addresses = self._dns_host, _addresses(self._dns_host, self.port)
        for count, address in enumerate(addresses):
            left = deadline.seconds_left() / (len(addresses) - count)
            self._dns_host, self.timeout = address, None if math.isinf(left) else left
            try:
                sock = super()._new_conn()
            except (NewConnectionError, ConnectTimeoutError):
                if address == addresses[-1]:
                    raise
            else:
                _set_timeout(sock)  # for the handshake of TLS
                return sock
            finally:
                self._dns_host = host
        raise AssertionError("unreachable")


class _BoundedHTTPSConnection(_BoundedHTTPConnection, HTTPSConnection):
    pass


class _BoundedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _BoundedHTTPConnection


class _BoundedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPSConnection


_POOLS = {"http": _BoundedHTTPPool, "https": _BoundedHTTPSPool}


def _addresses(host: str, port: int) -> list[str]:
    """Return the addresses of a host, or the host itself if it has none: urllib3 then says why."""
    try:
        found = socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return [host]
    return list(dict.fromkeys(str(place[0]) for *_, place in found)) or [host]
