"""A JSON text shows by its outline that it is none, or that it is not whole."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtcloud.client.downloads.atomic_download import _JsonCompleteness

TRICKY = st.text(alphabet='\\"{}[] a\nü')
VALUES = st.recursive(
    st.none() | st.floats() | TRICKY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TRICKY, inner, max_size=3),
)
TEXTS = (st.lists(VALUES) | st.dictionaries(TRICKY, VALUES)).map(
    lambda value: json.dumps(value, ensure_ascii=False).encode()
)


def fault(chunks, **options):
    outline = _JsonCompleteness(**options)
    for chunk in chunks:
        outline.add(chunk)
    return outline.fault()


@pytest.mark.parametrize(
    ("chunks", "told"),
    [
        ([b" ", b"\n{", b"}", b" " * 100, b"\n"], None),
        ([b"[", b"]"], None),
        ([b"[", b"}"], "It is incomplete"),
        ([b"{}", b"x"], "It is incomplete"),
        ([], "It is empty"),
        ([b" "], "It is empty"),
    ],
)
def test_the_outline_is_seen_over_any_cuts(chunks, told):
    assert fault(chunks) == fault(chunks, nesting=True) == told


@given(TEXTS, st.integers(1, 5))
def test_a_whole_text_has_no_fault_wherever_it_is_divided(text, size):
    assert fault([text[at : at + size] for at in range(0, len(text), size)], nesting=True) is None


@given(TEXTS, st.data())
def test_a_text_that_is_followed_is_whole_at_its_end_and_nowhere_before(text, data):
    cut = data.draw(st.integers(0, len(text) - 1))
    assert fault([text[:cut]], nesting=True) is not None


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": {"b": 1}',
        b'{"a": "}", "b": {}',
        b'{"a": "\\"}", "b": {}',
        b'{"a": "\\\\", "b": {}',
        b'[{"a": "]"}, []',
    ],
)
def test_only_following_it_shows_that_a_text_was_cut_after_an_inner_end(text):
    assert fault([text]) is None
    assert fault([text], nesting=True) == "It is incomplete"
