"""JSON in chunks of any size gives the same values as `json.loads`, and long strings take no memory."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtcloud.client.downloads.json_pieces import JsonPieces

MEBIBYTE = 1024 * 1024
NAMES = st.text(st.characters(exclude_characters=".", codec="utf-8"), min_size=1, max_size=20)
TEXTS = st.text(st.characters(codec="utf-8"))
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=10,
    ),
    max_size=4,
)


def pieces(body, size):
    parser = JsonPieces()
    for start in range(0, len(body), size):
        yield from parser.feed(body[start : start + size])
    parser.finish()


def values(body, size):
    """Return path and text of each value that is no object or list, in order."""
    found, text = [], ""
    for piece in pieces(body, size):
        text += piece.text
        if piece.is_last:
            if piece.is_string or text not in {"}", "]"}:
                found.append((piece.path, text))
            text = ""
    return found


def leaves(value, path=""):
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else (("item", each) for each in value)
        for name, inner in items:
            yield from leaves(inner, f"{path}.{name}".lstrip("."))
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


@given(DOCUMENTS, st.integers(1, 50), st.booleans())
def test_values_are_those_of_json_loads_in_chunks_of_any_size(document, size, ascii_only):
    body = json.dumps(document, ensure_ascii=ascii_only).encode()
    assert values(body, size) == list(leaves(document))


@pytest.mark.parametrize("size", range(1, 14))
def test_a_lone_half_of_a_character_is_replaced(size):
    assert values(rb'{"a": "x\ud83dy", "b": "\ud83d\ude00\ud83d"}', size) == [("a", "x�y"), ("b", "😀�")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"a": "b',
        b'{"a": [1, 2}',
        b'{"a": "\\uZZZZ12345678"}',
        b'{"a": "\\',
        b'{"a": "\xff"}',
        b"[" * 101,
        b'{"a": 1',
        b"}",
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_other_text_is_refused(body, size):
    with pytest.raises(ValueError):  # noqa: PT011 -- each has its own message
        list(pieces(body, size))


def test_a_long_string_takes_no_more_memory_than_its_pieces():
    parser, line = JsonPieces(), b"16:04:11  1 of 4 OK \\u001b[32mcreated\\u001b[0m \\\\ \\n" * 1000
    list(parser.feed(b'{"data": {"logs": "'))
    tracemalloc.start()
    length = sum(len(piece.text) for _ in range(300) for piece in parser.feed(line))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    list(parser.feed(b'"}}'))
    parser.finish()
    assert length > 10 * MEBIBYTE
    assert peak < MEBIBYTE
