"""Gzip is undone however it is divided, and is all there or an error."""

import gzip
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtcloud.client.transport.content_encoding import _OUTPUT_SIZE, GzipDecoder, GzipError

STREAMS = st.lists(st.tuples(st.binary(max_size=200), st.integers(0, 3)), min_size=1, max_size=4)


def packed(streams):
    """Each content as a stream of its own with so many zeros behind it."""
    return b"".join(gzip.compress(content) + bytes(zeros) for content, zeros in streams)


def divided(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


@given(STREAMS, st.integers(1, 60))
def test_streams_in_a_row_are_one_body_wherever_they_are_divided(streams, size):
    whole = b"".join(content for content, _ in streams)
    assert b"".join(GzipDecoder.decompress(divided(packed(streams), size))) == whole


@given(STREAMS, st.binary(max_size=200), st.integers(1, 60), st.data())
def test_a_body_that_ends_within_a_stream_is_an_error(streams, last, size, data):
    final = gzip.compress(last)
    cut = data.draw(st.integers(1, len(final) - 1))
    with pytest.raises(GzipError, match="is incomplete"):
        list(GzipDecoder.decompress(divided(packed(streams) + final[:cut], size)))


def test_no_bytes_are_no_gzip():
    with pytest.raises(GzipError, match="is incomplete"):
        list(GzipDecoder.decompress([]))


@given(st.binary(min_size=1, max_size=200), st.integers(1, 60), st.data())
def test_a_changed_byte_is_an_error_or_changes_nothing(content, size, data):
    body = bytearray(gzip.compress(content))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    found = content
    with suppress(GzipError):
        found = b"".join(GzipDecoder.decompress(divided(bytes(body), size)))
    assert found == content


def test_what_follows_and_is_no_gzip_is_an_error():
    with pytest.raises(GzipError, match="is damaged"):
        list(GzipDecoder.decompress([gzip.compress(b"x") + b"garbage"]))


def test_what_grows_a_thousandfold_comes_in_pieces_and_takes_no_memory():
    body = gzip.compress(bytes(100_000_000))
    tracemalloc.start()
    try:
        sizes = [len(piece) for piece in GzipDecoder().decode(body)]
        assert tracemalloc.get_traced_memory()[1] < 4 * _OUTPUT_SIZE
    finally:
        tracemalloc.stop()
    assert sum(sizes) == 100_000_000
    assert max(sizes) <= _OUTPUT_SIZE
