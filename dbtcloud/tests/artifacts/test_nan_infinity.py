"""Artifacts are read as Python's own parser reads what Python wrote, however the bytes come."""

import io
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dbtcloud.artifacts.manifest import read_manifest
from dbtcloud.artifacts.schema import InvalidArtifact

WORDS = st.sampled_from(
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "a",
        " ",
        ":",
        ",",
        "-",
        "1",
        '"',
        "\\",
        "\\\\",
        "\n",
        "ü",
        "N",
        "-I",
        "]",
    ]
)
TEXT = st.lists(WORDS, max_size=12).map("".join) | st.text(max_size=5)
NUMBER = st.integers() | st.integers(2**62, 2**66) | st.just(-(10**400)) | st.floats()
VALUE = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


class Dripping(io.RawIOBase):
    """A stream that cannot be sought and gives a few bytes at a time."""

    def __init__(self, content, most):
        self._content, self._most = io.BytesIO(content), most

    def read(self, size=-1):
        return self._content.read(min(size, self._most))


def meta_of(text, most=1 << 16):
    content = f'{{"nodes": {{"model.shop.orders": {{"meta": {{"found": {text}}}}}}}}}'.encode()
    return read_manifest(Dripping(content, most)).nodes["model.shop.orders"].meta["found"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=VALUE, most=st.integers(1, 20), ascii_only=st.booleans(), spaces=st.sampled_from([":", ": "]))
@example(value=[float("nan"), float("-inf"), float("inf"), 2**64, 1e308], most=3, ascii_only=True, spaces=":")
@example(value={'\\"NaN': ["-Infinity, NaN]", float("nan")]}, most=2, ascii_only=True, spaces=": ")
def test_what_python_writes_is_read_as_python_reads_it(value, most, ascii_only, spaces):
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", spaces))
    assert repr(meta_of(text, most)) == repr(json.loads(text))


@pytest.mark.parametrize(
    ("text", "value"), [("1e400", "inf"), ("-1E+400", "-inf"), ("2.50", "2.5"), ("-0.0", "-0.0")]
)
def test_numbers_of_other_writers_are_floats_as_well(text, value):
    assert repr(meta_of(text)) == value


@pytest.mark.parametrize(
    "text", ["1NaN", "-NaN", "NaN1", "NaNNaN", "- Infinity", "2Infinity", "-", "nan", "Infinit", "{NaN: 1}"]
)
@pytest.mark.parametrize("most", [1, 3, 100])
def test_words_that_are_no_numbers_of_pythons_stay_faults(text, most):
    with pytest.raises(InvalidArtifact, match="not complete JSON"):
        meta_of(text, most)


@pytest.mark.parametrize("text", ["9" * 5000, "1e" + "9" * 30, "[" * 2000 + "]" * 2000, '"\\u00', "'a'"])
def test_what_no_parser_of_pythons_takes_either_is_refused(text):
    with pytest.raises(InvalidArtifact, match="not complete JSON"):
        meta_of(text)


@pytest.mark.parametrize("damage", [b"\xff", b"\xed\xa0\x80", b"\x00"])
def test_bytes_that_are_no_text_are_refused(damage):
    with pytest.raises(InvalidArtifact, match="not complete JSON"):
        read_manifest(io.BytesIO(b'{"nodes": {"a": {"name": "' + damage + b'"}}}'))
