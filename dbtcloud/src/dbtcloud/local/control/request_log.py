"""The journal: which requests came, over which TCP connection, and what they were answered."""

import json
from collections import Counter, deque
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import web

from dbtcloud.core.masked_url import masked

_SECRET = frozenset({"authorization", "cookie", "proxy-authorization"})
_BODY_CHARACTERS = 65_536
_HIDDEN = "**********"
_VARIABLES = "/environment-variables/"
_NAMING = frozenset({"name", "new_name", "type"})
"""Texts about an environment variable that are not its value."""


@dataclass(slots=True)
class Entry:
    """One request: its target as it came, headers and body without secrets, and the answer's status.

    `status` is None until the answer is known, and stays None when the connection was reset instead.
    `instant` is in microseconds by the local clock.
    """

    number: int
    connection: int
    method: str
    target: str
    headers: dict[str, str]
    body: str
    instant: int
    status: int | None = None


class Journal:
    """Keeps the last entries and counts all.

    Args:
        size: how many entries are kept.
    """

    def __init__(self, size: int = 20_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=size)
        self._connections: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._seen = 0
        self.clear()

    def clear(self) -> None:
        """Forget the entries and begin to count anew; connections keep their numbers."""
        self._entries.clear()
        self._requests = 0
        self._used: set[int] = set()
        self._statuses: Counter[str] = Counter()

    def enter(self, request: web.BaseRequest, body: str, instant: int) -> Entry:
        """Note a request."""
        connection = self._connection(request.transport)
        self._requests += 1
        self._used.add(connection)
        shown = {name: value for name, value in request.headers.items() if name.lower() not in _SECRET}
        entry = Entry(
            number=self._requests,
            connection=connection,
            method=request.method,
            target=request.raw_path,
            headers=shown,
            body=_shown(request.path, body)[:_BODY_CHARACTERS],
            instant=instant,
        )
        self._entries.append(entry)
        return entry

    def close(self, entry: Entry, status: int | None) -> None:
        """Note the answer's status; None for a connection that was reset. What strangers send is not kept."""
        entry.status = status
        if status == HTTPStatus.UNAUTHORIZED:
            entry.body = ""
        self._statuses["reset" if status is None else str(status)] += 1

    def entries(self) -> list[dict[str, Any]]:
        """Return what is kept, oldest first."""
        return [asdict(entry) for entry in self._entries]

    def counters(self) -> dict[str, Any]:
        """Return how many requests came, over how many connections, and how they were answered."""
        return {
            "requests": self._requests,
            "connections": len(self._used),
            "answers": dict(sorted(self._statuses.items())),
        }

    def _connection(self, transport: object | None) -> int:
        if transport is None:
            return 0
        if transport not in self._connections:
            self._seen += 1
            self._connections[transport] = self._seen
        return self._connections[transport]


def _shown(path: str, body: str) -> str:
    """Return a body without the values of variables and the passwords of addresses: all here may see it."""
    if not body or _VARIABLES not in f"{path}/":
        return masked(body)
    try:
        return json.dumps(_without_values(json.loads(body)))
    except (ValueError, RecursionError):
        return _HIDDEN


def _without_values(content: Any, name: str = "") -> Any:
    if isinstance(content, dict):
        return {key: _without_values(value, key) for key, value in content.items()}
    if isinstance(content, list):
        return [_without_values(value, name) for value in content]
    return _HIDDEN if isinstance(content, str) and name not in _NAMING else content
