"""A server that keeps what came byte for byte and answers with whatever bytes a test gives it."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    line: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]


def answer(
    body: Any = None, status: int = 200, headers: Mapping[str, str] | None = None, *, cut: int = 0
) -> bytes:
    """An HTTP answer: bytes and text as they are, anything else as JSON; `cut` bytes of it are kept back."""
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else None
    content = json.dumps(body).encode() if content is None else content
    sent = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{k}: {v}" for k, v in sent.items())]
    whole = "\r\n".join([*lines, "", ""]).encode() + content
    return whole[: len(whole) - cut]


def chunked(body: bytes, headers: Mapping[str, str] | None = None, *, ended: bool = True) -> bytes:
    """An HTTP answer in two chunks; without their end unless `ended`."""
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:1000], body[1000:]) if part)
    return unframed(
        pieces + (b"0\r\n\r\n" if ended else b""), {"Transfer-Encoding": "chunked", **(headers or {})}
    )


def unframed(body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """An HTTP answer that only the end of the connection ends."""
    lines = ["HTTP/1.1 200 OK", *(f"{k}: {v}" for k, v in (headers or {}).items()), "", ""]
    return "\r\n".join(lines).encode() + body


def envelope(data: Any, *, total: int | None = None, **status: Any) -> dict[str, Any]:
    """dbt Cloud's envelope around `data`; with `total` that of a list."""
    said = {"code": 200, "is_success": True, "user_message": "Success!", "developer_message": "", **status}
    extra = {} if total is None else {"extra": {"pagination": {"count": 1, "total_count": total}}}
    return {"status": said, "data": data, **extra}


def refusal(status: int, message: str, data: Any = None) -> bytes:
    """dbt Cloud's envelope of an error."""
    return answer(envelope(data, code=status, is_success=False, user_message=message), status)


Pieces = Iterator[bytes]
"""An answer piece by piece, until the client hangs up."""

Reply = bytes | None | Callable[[Received], bytes | Pieces | None]
"""What to answer with; None closes the connection."""


def dripping(answer: bytes, pause: float = 0.02, start: int = 0) -> Pieces:
    """Yield `start` bytes of an answer at once, and then one each `pause` seconds."""
    yield answer[:start]
    for at in range(start, len(answer)):
        time.sleep(pause)
        yield answer[at : at + 1]


def endless(piece: bytes) -> Pieces:
    """Yield the same piece as long as the client listens."""
    while True:
        time.sleep(0.002)
        yield piece


def silence() -> Pieces:
    """Yield nothing for longer than any test waits."""
    yield from dripping(b"x", pause=5)


class RawServer:
    """Listens on loopback; `reply` is what every request is answered with. With `tls` it speaks https."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.received: list[Received] = []
        self.connections = 0
        self.reply: Reply = answer(envelope({"id": 1, "status": 10, "name": "it"}))
        self.silent = threading.Event()
        self._open: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = self._socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def replies(self, *answers: bytes | None) -> None:
        """Answer with each in turn, and with the last from then on."""
        left = list(answers)
        self.reply = lambda _: left.pop(0) if len(left) > 1 else left[0]

    def close(self) -> None:
        """Stop listening and close every connection."""
        for each in [self._socket, *self._open]:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while request := _read(stream, number):
                    self.received.append(request)
                    if self.silent.is_set():
                        continue
                    reply = self.reply(request) if callable(self.reply) else self.reply
                    if reply is None:
                        return
                    sent = b""
                    for piece in [reply] if isinstance(reply, bytes) else reply:
                        connection.sendall(piece)
                        sent += piece
                    if _is_cut(sent):
                        return
        except OSError:
            return


def _read(stream: Any, connection: int) -> Received | None:
    line = stream.readline().decode("latin-1").rstrip("\r\n")
    if not line:
        return None
    headers = {}
    while header := stream.readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Received(line, headers, body, connection)


def _is_cut(reply: bytes) -> bool:
    head, _, body = reply.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 10") and body:  # an interim answer
        head, _, body = body.partition(b"\r\n\r\n")
    lengths = [line[15:].strip() for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")]
    return lengths != [str(len(body)).encode()]
