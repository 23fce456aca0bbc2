"""The request log: the last requests, their TCP connections, and the status of each response."""

import json
from collections import Counter, deque
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

from aiohttp import web

from dbtcloud.core.process import mask_url_passwords

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_BODY_CHARACTERS = 65_536
_HIDDEN = "**********"
_VARIABLES = "/environment-variables/"
_WEBHOOKS = "/webhooks/"
# Texts in the body of an environment variable that are not its value.
_VARIABLE_NAMES = frozenset({"name", "new_name", "type"})


@dataclass(slots=True)
class _LoggedRequest:
    """A request and the status of its response, without secrets.

    Attributes:
        number: counts the requests, from 1.
        connection: the number of its TCP connection.
        method: its method.
        target: path and query as they came.
        headers: its headers, without credentials.
        body: its body, without the values of environment variables, the addresses of webhooks and the
            passwords of URLs.
        instant: when it came, in microseconds of the local clock.
        status: None until the response is known, and after a connection was reset.
    """

    number: int
    connection: int
    method: str
    target: str
    headers: dict[str, str]
    body: str
    instant: int
    status: int | None = None


class RequestLog:
    """Keeps the last requests and counts all of them.

    Args:
        size: how many requests are kept.
    """

    def __init__(self, size: int = 20_000) -> None:
        self._requests: deque[_LoggedRequest] = deque(maxlen=size)
        self._connections: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._connections_seen = 0
        self.clear()

    def clear(self) -> None:
        """Forget the requests and restart the counters. Connections keep their numbers."""
        self._requests.clear()
        self._count = 0
        self._connections_used: set[int] = set()
        self._statuses: Counter[str] = Counter()

    def add(self, request: web.BaseRequest, body: str, instant: int) -> _LoggedRequest:
        """Log a request that has come in, and return its entry for `finish`."""
        connection = self._connection(request.transport)
        self._count += 1
        self._connections_used.add(connection)
        headers = request.headers.items()
        logged = _LoggedRequest(
            number=self._count,
            connection=connection,
            method=request.method,
            target=_without_token(request, request.raw_path),
            headers={
                name: _without_token(request, value)
                for name, value in headers
                if name.lower() not in _SECRET_HEADERS
            },
            body=_without_token(request, _without_secrets(request.path, body))[:_BODY_CHARACTERS],
            instant=instant,
        )
        self._requests.append(logged)
        return logged

    def finish(self, logged: _LoggedRequest, status: int | None) -> None:
        """Log the status of the response to a request, or None if the connection was reset."""
        logged.status = status
        if status == HTTPStatus.UNAUTHORIZED:
            # A sender without a token must not fill the memory.
            logged.body = ""
        self._statuses["reset" if status is None else str(status)] += 1

    def as_json(self) -> list[dict[str, Any]]:
        """Return the requests, the oldest first."""
        return [asdict(request) for request in self._requests]

    def counters(self) -> dict[str, Any]:
        """Return how many requests came, over how many connections, and their responses by status."""
        return {
            "requests": self._count,
            "connections": len(self._connections_used),
            "answers": dict(sorted(self._statuses.items())),
        }

    def _connection(self, transport: object | None) -> int:
        if transport is None:
            return 0
        if transport not in self._connections:
            self._connections_seen += 1
            self._connections[transport] = self._connections_seen
        return self._connections[transport]


def _without_token(request: web.BaseRequest, text: str) -> str:
    """Return a text without the token of its request, which clients also put into wrong places."""
    token = request.headers.get("Authorization", "").partition(" ")[2].strip()
    if not token:
        return text
    # The bytes of a wrong token need not be UTF-8.
    quoted = (quote(token, safe=safe, errors="surrogateescape") for safe in ("", "/"))
    for form in {token, *quoted, json.dumps(token)[1:-1]}:
        text = text.replace(form, _HIDDEN)
    return text


def _without_secrets(path: str, body: str) -> str:
    """Return a body without values of variables, addresses of webhooks and passwords of URLs."""
    is_variable, is_webhook = (part in f"{path}/" for part in (_VARIABLES, _WEBHOOKS))
    if not body or not (is_variable or is_webhook):
        return mask_url_passwords(body)
    try:
        content = json.loads(body)
        # Whoever knows the address of a webhook, such as one of a chat, can send messages there.
        return json.dumps(_without_values(content) if is_variable else _without_addresses(content))
    except (ValueError, RecursionError):
        return _HIDDEN


def _without_values(content: Any, name: str = "") -> Any:
    if isinstance(content, dict):
        return {key: _without_values(value, key) for key, value in content.items()}
    if isinstance(content, list):
        return [_without_values(value, name) for value in content]
    return _HIDDEN if isinstance(content, str) and name not in _VARIABLE_NAMES else content


def _without_addresses(content: Any) -> Any:
    if isinstance(content, dict):
        return {
            key: _HIDDEN if key == "client_url" else _without_addresses(value)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [_without_addresses(value) for value in content]
    return _HIDDEN if isinstance(content, str) and "://" in content else content
