"""Odd changes to an answer: to its status, headers, framing and text, and to any value in its JSON."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

from fuzz.recorded_answers import RecordedAnswer
from wires.raw import Pieces, answer

Reply = bytes | Pieces | None

STATUSES = (
    200,
    201,
    202,
    203,
    204,
    206,
    226,
    301,
    304,
    307,
    400,
    401,
    403,
    404,
    405,
    407,
    408,
    409,
    410,
    422,
)
STATUSES += (423, 429, 431, 451, 500, 501, 502, 503, 504)
BODIES = (
    b"",
    b" ",
    b"null",
    b"{}",
    b"[]",
    b"0",
    b'"ok"',
    b"NaN",
    b"<!DOCTYPE html><html><body>Log in</body></html>",
    b'{"data": null}',
    b'{"data": {}}',
    b'{"data": []}',
    b'{"data": [null]}',
    b'{"data": [[]], "extra": {"pagination": {"total_count": 1}}}',
    b'{"status": {"code": 500, "is_success": false}, "data": null}',
    b'{"data": [], "extra": {"pagination": {"total_count": 1000000000}}}',
    b'{"errors": "x", "data": {}}',
    b'{"errors": [null, 5, "x"], "data": 5}',
    b"[" * 1500 + b"]" * 1500,
    b'{"data":' * 2000 + b"1" + b"}" * 2000,
    b'{"data": {"id": ' + b"9" * 5000 + b"}}",
    b"\xff\xfe\x00",
    b"\x1f\x8b\x08\x00not gzip",
)
HEADERS = (
    ("Retry-After", "\xb2"),
    ("Retry-After", "-1"),
    ("Retry-After", "0"),
    ("Retry-After", "99999"),
    ("Retry-After", "9" * 400),
    ("X-Rate-Limit-Retry-After-Seconds", "x"),
    ("Content-Type", "text/html"),
    ("Content-Type", "application/json; charset=utf-16"),
    ("Content-Type", "application/json; charset=nonsense"),
    ("Content-Type", ""),
    ("Content-Encoding", "gzip"),
    ("Content-Encoding", "br"),
    ("Content-Length", "0"),
    ("Content-Length", "-1"),
    ("Content-Length", "\xb2"),
    ("Content-Length", "x"),
    ("Transfer-Encoding", "chunked"),
    ("Location", "//elsewhere\x7f/%zz"),
    ("Date", "yesterday"),
    ("Date", "Sat, 01 Jan 0001 00:00:00 GMT"),
    ("Set-Cookie", "\x01=\x02"),
    ("Connection", "close"),
)
READ_FIELDS = frozenset(
    """
    data extra pagination total_count id status href trigger cause run_steps index name logs debug_logs
    status_message created_at started_at finished_at job_definition_id job_id retrying_run_id can_retry
    retry_not_supported_reason is_success errors environment applied models pageInfo hasNextPage endCursor
    edges node metadata dbt_schema_version results unique_id message failures timing adapter_response
    batch_results nodes parent_map compiled_path resource_type
    """.split()  # noqa: SIM905 -- a list of so many texts is hard to read
)
"""Those that the code under test reads, among many more."""

VALUES = (
    *(None, True, False, 0, 1, -1, 3, 10, 99, 2**63, 10**30, 1.5, 1e300, float("nan"), float("inf")),
    *("", "x", "10", "\u0000", "../../etc/passwd", "/", "2026-11-27 22:00:00", "0001-01-01T00:00:00+23:59"),
    *("\ud800", "\U0001f956", "x" * 20_000, "9" * 5_000, "{{ x }}", "%s%(a)s{0}", "9999-12-31T23:59:59Z"),
    *([], {}, [None], ["x"], [[1]], {"x": 1}, [{}], {"data": []}, {"id": 1}),
)


class AnswerMutator:
    """Changes answers by chance.

    Args:
        seed: The same seed makes the same changes.
        over: Set when the example is over: until then, a server may keep a client waiting.
    """

    def __init__(self, seed: int, over: threading.Event) -> None:
        self._random, self._over = Random(seed), over
        self._share = self._random.choice((0.15, 0.5, 1.0))
        self._first_only = self._random.random() < 0.2
        self._same = self._random.choice(self._kinds()) if self._random.random() < 0.3 else None
        self._is_changed = False

    def mutated(self, recorded: RecordedAnswer) -> Reply:
        """The answer as it goes over the wire, changed or not; None to close the connection."""
        if self._random.random() > self._share or (self._first_only and self._is_changed):
            return recorded.to_bytes()
        self._is_changed = True
        return (self._same or self._random.choice(self._kinds()))(recorded)

    def _kinds(self) -> list[Callable[[RecordedAnswer], Reply]]:
        values = [self._with_odd_values] * 12
        return [*values, self._with_status, self._with_body, self._with_header, self._cut, self._framed]

    def _with_odd_values(self, recorded: RecordedAnswer) -> bytes:
        try:
            value = json.loads(recorded.body)
        except ValueError:
            return self._damaged(recorded)
        for _ in range(self._random.choice((1, 1, 1, 2, 5))):
            value = self._changed(value)
        return recorded.with_body(json.dumps(value).encode()).to_bytes()

    def _changed(self, value: Any) -> Any:
        """A value with one change at a random place."""
        if not isinstance(value, dict | list) or not value or self._random.random() < 0.12:
            return self._random.choice(VALUES)
        if isinstance(value, list):
            return self._changed_list(list(value))
        names, changed = list(value), dict(value)
        read = [name for name in names if name in READ_FIELDS] if self._random.random() < 0.7 else []
        name = self._random.choice(read or names)
        if self._random.random() < 0.1:
            del changed[name]
        elif self._random.random() < 0.05:
            changed[name.upper() or "x"] = changed.pop(name)
        else:
            changed[name] = self._changed(changed[name])
        return changed

    def _changed_list(self, rows: list[Any]) -> list[Any]:
        place = self._random.randrange(len(rows))
        kind = self._random.random()
        if kind < 0.1:
            return rows * self._random.choice((2, 30))
        if kind < 0.15:
            return rows[:place]
        rows[place] = self._changed(rows[place])
        return rows

    def _with_status(self, recorded: RecordedAnswer) -> bytes:
        headers = dict([*recorded.headers, self._random.choice(HEADERS)])
        return answer(recorded.body, self._random.choice(STATUSES), headers)

    def _with_body(self, recorded: RecordedAnswer) -> bytes:
        status = self._random.choice((recorded.status, *STATUSES))
        return RecordedAnswer(status, recorded.headers, self._random.choice(BODIES)).to_bytes()

    def _with_header(self, recorded: RecordedAnswer) -> bytes:
        name, text = self._random.choice(HEADERS)
        status = self._random.choice((recorded.status, 429, 503, 302))
        head, _, body = answer(recorded.body, status, {**dict(recorded.headers), "X-Odd": "0"}).partition(
            b"\r\n\r\n"
        )
        lines = [
            line for line in head.split(b"\r\n") if not line.lower().startswith(name.lower().encode() + b":")
        ]
        return b"\r\n".join([*lines, f"{name}: {text}".encode("latin-1"), b"", b""]) + body

    def _damaged(self, recorded: RecordedAnswer) -> bytes:
        body = bytearray(recorded.body)
        for _ in range(self._random.choice((1, 5))):
            if body:
                body[self._random.randrange(len(body))] = self._random.randrange(256)
        return recorded.with_body(bytes(body)).to_bytes()

    def _cut(self, recorded: RecordedAnswer) -> bytes | None:
        whole = recorded.to_bytes()
        return self._random.choice((None, whole[: self._random.randrange(len(whole))], b"garbage\r\n\r\n"))

    def _framed(self, recorded: RecordedAnswer) -> Reply:
        """An answer after interim ones, twice, in broken chunks, byte by byte, or never."""
        whole = recorded.to_bytes()
        chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        interim = b"HTTP/1.1 102 Processing\r\n\r\n"
        return self._random.choice(
            (
                interim + whole,
                b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + whole,
                whole + whole,
                chunks + b"zz\r\n" + recorded.body + b"\r\n0\r\n\r\n",
                chunks + b"%x\r\n" % len(recorded.body) + recorded.body + b"\r\n0\r\n\r\n",
                b"HTTP/1.0 200 OK\r\n\r\n" + recorded.body,
                self._damaged(recorded),
                self._slow([]),
                self._slow([interim]),
                self._slow([interim] * 1_000),
                self._slow([whole[place : place + 1] for place in range(len(whole))]),
            )
        )

    def _slow(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Each piece after a pause, then nothing until the example is over."""
        for piece in pieces:
            yield piece
            if self._over.wait(0.05):
                return
        self._over.wait()
