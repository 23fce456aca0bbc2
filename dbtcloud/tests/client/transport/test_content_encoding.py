"""Gzip is undone however it is divided, and is all there or an error."""

import gzip
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtcloud.client.errors import ArtifactError, MalformedResponse
from dbtcloud.client.transport.content_encoding import _OUTPUT_SIZE, GzipDecoder, GzipError
from dbtcloud.client.transport.network_settings import Transport

STREAMS = st.lists(st.tuples(st.binary(max_size=200), st.integers(0, 3)), min_size=1, max_size=4)


def limit(*, is_file=True, **settings):
    return Transport(**settings).body_limit(is_file=is_file)


def packed(streams):
    """Each content as a stream of its own with so many zeros behind it."""
    return b"".join(gzip.compress(content) + bytes(zeros) for content, zeros in streams)


def divided(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


@given(STREAMS, st.integers(1, 60))
def test_streams_in_a_row_are_one_body_wherever_they_are_divided(streams, size):
    whole = b"".join(content for content, _ in streams)
    assert b"".join(GzipDecoder.decompress(divided(packed(streams), size), limit())) == whole


@given(STREAMS, st.binary(max_size=200), st.integers(1, 60), st.data())
def test_a_body_that_ends_within_a_stream_is_an_error(streams, last, size, data):
    final = gzip.compress(last)
    cut = data.draw(st.integers(1, len(final) - 1))
    with pytest.raises(GzipError, match="is incomplete"):
        list(GzipDecoder.decompress(divided(packed(streams) + final[:cut], size), limit()))


def test_no_bytes_are_no_gzip():
    with pytest.raises(GzipError, match="is incomplete"):
        list(GzipDecoder.decompress([], limit()))


@given(st.binary(min_size=1, max_size=200), st.integers(1, 60), st.data())
def test_a_changed_byte_is_an_error_or_changes_nothing(content, size, data):
    body = bytearray(gzip.compress(content))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    found = content
    with suppress(GzipError):
        found = b"".join(GzipDecoder.decompress(divided(bytes(body), size), limit()))
    assert found == content


def test_what_follows_and_is_no_gzip_is_an_error():
    with pytest.raises(GzipError, match="is damaged"):
        list(GzipDecoder.decompress([gzip.compress(b"x") + b"garbage"], limit()))


def test_what_grows_a_thousandfold_comes_in_pieces_and_takes_no_memory():
    body = gzip.compress(bytes(100_000_000))
    tracemalloc.start()
    try:
        sizes = [len(piece) for piece in GzipDecoder(limit(max_compression_ratio=2000)).decode(body)]
        assert tracemalloc.get_traced_memory()[1] < 4 * _OUTPUT_SIZE
    finally:
        tracemalloc.stop()
    assert sum(sizes) == 100_000_000
    assert max(sizes) <= _OUTPUT_SIZE


@pytest.mark.parametrize(
    ("is_file", "kind", "setting"),
    [(True, ArtifactError, "max_artifact_mib"), (False, MalformedResponse, "max_json_mib")],
)
def test_a_body_that_is_too_large_is_refused_before_it_is_all_there(is_file, kind, setting):
    body = gzip.compress(bytes(3_000_000))
    made = []
    with pytest.raises(kind, match=rf"more than 1 MiB.*raise the setting '{setting}'"):
        made.extend(GzipDecoder(limit(is_file=is_file, **{setting: 1})).decode(body))
    assert sum(map(len, made)) <= 1024 * 1024


def test_a_body_that_grows_too_much_is_refused_early():
    made = []
    with pytest.raises(
        ArtifactError, match=r"makes more than 250 bytes of one.*raise the setting 'max_compression_ratio'"
    ):
        made.extend(GzipDecoder(limit()).decode(gzip.compress(bytes(500_000_000))))
    assert sum(map(len, made)) < 20_000_000


def test_a_short_text_of_one_character_may_grow_however_much():
    assert len(b"".join(GzipDecoder.decompress([gzip.compress(b" " * 10_000_000)], limit()))) == 10_000_000
