"""A gzipped answer is whole or it is none, on both engines: the framing of HTTP does not tell."""

import gzip
import json
import os

import pytest

from dbtcloud.client import endpoints
from dbtcloud.client.downloads.atomic_download import AtomicDownload, LocalDestination
from dbtcloud.client.errors import MalformedResponse, NotFound, ServerError, TransportError
from dbtcloud.client.retry import NO_RETRY
from folders import files
from wires.raw import answer, chunked, envelope, unframed
from wires.secrets import told

TEXT = json.dumps({"nodes": {str(number): os.urandom(20).hex() for number in range(20_000)}}).encode()
GZIPPED = gzip.compress(TEXT)
HALF = len(GZIPPED) // 2
GZIP = {"Content-Encoding": "gzip"}
MIDDLE = "Its gzip data is incomplete"
DAMAGED = "Its gzip data is damaged"


def with_byte_changed(body, at):
    return body[:at] + bytes([body[at] ^ 0x55]) + body[at + 1 :]


WHOLE = {
    "length": answer(GZIPPED, headers=GZIP),
    "chunks": chunked(GZIPPED, GZIP),
    "no framing": unframed(GZIPPED, GZIP),
    "two streams": answer(gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]), headers=GZIP),
    "padded": answer(GZIPPED + bytes(512), headers=GZIP),
    "other names": answer(GZIPPED, headers={"Content-Encoding": " X-GZIP"}),
    "plain": answer(TEXT, headers={"Content-Encoding": "identity"}),
}
BROKEN = {
    "cut": (answer(GZIPPED[:HALF], headers=GZIP), MIDDLE),
    "cut chunks": (chunked(GZIPPED[:HALF], GZIP), MIDDLE),
    "cut without framing": (unframed(GZIPPED[:HALF], GZIP), MIDDLE),
    "without its checksum": (answer(GZIPPED[:-8], headers=GZIP), MIDDLE),
    "cut in the second stream": (answer(GZIPPED + GZIPPED[:5], headers=GZIP), MIDDLE),
    "empty": (answer(b"", headers=GZIP), MIDDLE),
    "damaged": (answer(with_byte_changed(GZIPPED, HALF), headers=GZIP), DAMAGED),
    "damaged checksum": (answer(with_byte_changed(GZIPPED, len(GZIPPED) - 8), headers=GZIP), DAMAGED),
    "no gzip": (answer(TEXT, headers=GZIP), DAMAGED),
    "garbage behind it": (answer(GZIPPED + b"garbage", headers=GZIP), DAMAGED),
}


def strange(status=200, coding="br"):
    return answer(b"\x8b\x02\x80{}\x03", status, {"Content-Encoding": coding})


@pytest.fixture
def fetch(engine, access, raw_server, tmp_path):
    """Fetches an artifact to a file where there is an earlier one; what the folder then holds."""
    (tmp_path / "there.json").write_bytes(b"earlier")

    def run(**options):
        with AtomicDownload(LocalDestination(tmp_path / "there.json"), is_json=True) as landing:
            call = endpoints.download_artifact(1, 7, "manifest.json", landing)
            engine.ask(access(raw_server.url), call, **options)
        return files(tmp_path)

    return run


@pytest.fixture
def read(engine, access, raw_server):
    """Reads an artifact into memory."""

    def run(**options):
        return engine.ask(access(raw_server.url), endpoints.get_artifact(1, 7, "a.sql"), **options).body

    return run


@pytest.fixture(params=["fetch", "read"])
def get(request, fetch, read):
    """One of the two."""
    return {"fetch": fetch, "read": read}[request.param]


@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_body_is_unpacked(fetch, read, raw_server, case):
    raw_server.reply = WHOLE[case]
    assert fetch(retry=NO_RETRY) == {"there.json": TEXT}
    assert read(retry=NO_RETRY) == TEXT


@pytest.mark.parametrize("case", BROKEN)
def test_a_body_that_is_not_whole_leaves_the_earlier_file_and_is_told(fetch, raw_server, tmp_path, case):
    raw_server.reply, why = BROKEN[case]
    with pytest.raises(
        TransportError, match=rf"from http://127.0.0.1:\d+ was interrupted\. {why}\."
    ) as raised:
        fetch()
    assert raised.value.sent
    assert files(tmp_path) == {"there.json": b"earlier"}
    assert len(raw_server.received) == 4


@pytest.mark.parametrize("case", BROKEN)
def test_a_body_that_is_not_whole_is_asked_for_again(fetch, raw_server, case):
    raw_server.replies(BROKEN[case][0], WHOLE["length"])
    assert fetch() == {"there.json": TEXT}
    assert len(raw_server.received) == 2


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_read_into_memory_is_whole_too(read, raw_server, case):
    raw_server.reply, why = BROKEN[case]
    with pytest.raises(TransportError, match=rf"was interrupted\. {why}\."):
        read(retry=NO_RETRY)
    raw_server.replies(BROKEN[case][0], WHOLE["chunks"])
    assert read() == TEXT


def test_a_run_is_read_again_when_its_answer_was_cut(engine, access, raw_server):
    body = gzip.compress(json.dumps(envelope({"id": 2, "status": 10})).encode())
    raw_server.replies(answer(body[:-20], headers=GZIP), answer(body, headers=GZIP))
    assert engine.ask(access(raw_server.url), endpoints.get_run(1, 2)).id == 2


class Measuring:
    """Takes a body and keeps the sizes of its pieces."""

    def __init__(self):
        self.sizes = []

    def begin(self, *, has_known_end=True):
        assert has_known_end

    def write(self, chunk):
        self.sizes.append(len(chunk))

    def end(self):
        self.sizes.append(0)


def test_what_grows_a_thousandfold_is_handed_on_in_small_pieces(engine, access, raw_server):
    raw_server.reply = answer(gzip.compress(bytes(50_000_000)), headers=GZIP)
    sink = Measuring()
    credentials = access(raw_server.url, max_compression_ratio=2000)
    engine.ask(credentials, endpoints.download_artifact(1, 7, "a", sink))
    assert sum(sink.sizes) == 50_000_000
    assert max(sink.sizes) <= 256 * 1024


def test_nothing_but_gzip_is_asked_for(read, raw_server):
    raw_server.reply = WHOLE["length"]
    read()
    assert [each.headers["accept-encoding"] for each in raw_server.received] == ["gzip"]


@pytest.mark.parametrize("coding", ["br", "gzip, br", "deflate"])
def test_another_encoding_is_refused_by_its_name(get, raw_server, tmp_path, coding):
    raw_server.reply = strange(coding=coding)
    with pytest.raises(
        MalformedResponse, match=rf"has the encoding '{coding}'\. Only 'gzip' or none was asked for"
    ):
        get(retry=NO_RETRY)
    assert files(tmp_path) == {"there.json": b"earlier"}


def test_the_name_of_an_encoding_tells_no_secret(engine, access, raw_server):
    token = "dbtc_With-Capitals"
    raw_server.reply = strange(coding=token)
    call = endpoints.get_run(1, 2)
    with pytest.raises(MalformedResponse, match=r"has the encoding '\*\*\*'") as raised:
        engine.ask(access(raw_server.url, token=token), call, retry=NO_RETRY)
    assert token.lower() not in told(raised.value).lower()


PROBLEM = json.dumps(envelope(None, user_message="No such luck")).encode()


@pytest.mark.parametrize(("status", "kind"), [(404, NotFound), (503, ServerError)])
@pytest.mark.parametrize(
    "reply",
    [
        strange,
        lambda status: answer(b"", status, GZIP),
        lambda status: answer(b"no gzip", status, GZIP),
        lambda status: answer(gzip.compress(PROBLEM)[:-20], status, GZIP),
    ],
    ids=["strange", "empty", "damaged", "cut"],
)
def test_an_error_status_counts_however_its_body_is_encoded(get, raw_server, status, kind, reply):
    raw_server.reply = reply(status)
    with pytest.raises(kind):
        get(retry=NO_RETRY)


def test_an_error_that_is_gzipped_says_what_dbt_cloud_said(read, raw_server):
    raw_server.reply = answer(gzip.compress(PROBLEM), 404, GZIP)
    with pytest.raises(NotFound, match="No such luck"):
        read()


CUT_AFTER_AN_INNER_END = b'{"nodes": {"a": {"b": NaN}}'
CLOSED = CUT_AFTER_AN_INNER_END + b', "c": "\\"{["}\n'


def test_json_that_only_the_connection_ends_is_followed_to_its_end(fetch, raw_server, tmp_path):
    raw_server.reply = unframed(CUT_AFTER_AN_INNER_END)
    with pytest.raises(MalformedResponse, match=r"is not JSON\. It is incomplete"):
        fetch()
    assert files(tmp_path) == {"there.json": b"earlier"}
    raw_server.replies(unframed(CUT_AFTER_AN_INNER_END), unframed(CLOSED))
    assert fetch() == {"there.json": CLOSED}
