"""The answers of the local dbt Cloud, recorded once and replayed by a raw server."""

import http.client
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from dbtcloud.local.server.in_thread import LocalDbtCloud
from wires.raw import Received, answer, refusal

_KEPT_HEADERS = ("Content-Type", "Date")


@dataclass(frozen=True)
class RecordedAnswer:
    """One answer: its status, those of its headers that clients read, and its body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def to_bytes(self) -> bytes:
        """The answer as it goes over the wire."""
        return answer(self.body, self.status, dict(self.headers))

    def with_body(self, body: bytes) -> "RecordedAnswer":
        """The same answer with another body."""
        return replace(self, body=body)


class Recording:
    """Answers by the request's method and target.

    Args:
        cloud: Who answers while the recording is made.
    """

    def __init__(self, cloud: LocalDbtCloud) -> None:
        self._cloud = cloud
        self._answers: dict[tuple[str, str], RecordedAnswer] = {}

    def __len__(self) -> int:
        return len(self._answers)

    def record(self, request: Received) -> bytes:
        """Let the local dbt Cloud answer, and keep the answer."""
        connection = http.client.HTTPConnection(urlsplit(self._cloud.url).netloc, timeout=30)
        kept = {name: request.headers[name] for name in ("content-type", "accept") if name in request.headers}
        headers = {**kept, "Authorization": f"Token {self._cloud.token}"}
        connection.request(request.method, request.target, request.body or None, headers)
        response = connection.getresponse()
        headers_kept = tuple((name, text) for name in _KEPT_HEADERS if (text := response.headers.get(name)))
        recorded = RecordedAnswer(response.status, headers_kept, response.read())
        connection.close()
        self._answers[request.method, request.target] = recorded
        return recorded.to_bytes()

    def answer_to(self, request: Received) -> RecordedAnswer:
        """The recorded answer to a request, or to one of the same path, or a 404."""
        if found := self._answers.get((request.method, request.target)):
            return found
        path = request.target.partition("?")[0]
        for (method, target), recorded in self._answers.items():
            if method == request.method and target.partition("?")[0] == path:
                return recorded
        body = refusal(404, "Not recorded.").partition(b"\r\n\r\n")[2]
        return RecordedAnswer(404, (("Content-Type", "application/json"),), body)
