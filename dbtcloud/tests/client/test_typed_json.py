"""JSON of the API is read by its documented types; anything else is an error that shows no value."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtcloud.client.errors import MalformedResponse
from dbtcloud.client.typed_json import TypedFields, parse_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_every_json_value_is_read(value, ascii_only):
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1}}',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\\ud800"}',
        b'{"\\uDFFF": 1}',
        b"[" * 1500 + b"]" * 1500,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"9" * 5000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_no_log_file_or_xcom_could_hold_is_not_json(body):
    with pytest.raises(ValueError):  # noqa: PT011 -- Python's own messages differ by version
        parse_json(body)


def test_sixty_four_levels_are_read():
    assert parse_json(b"[" * 64 + b"]" * 64)


READERS = {
    TypedFields.integer: [0, 7, 2**63 - 1],
    TypedFields.text: ["", "x"],
    TypedFields.boolean: [True, False],
    TypedFields.mapping: [{}, {"a": 1}],
    TypedFields.sequence: [[], [1]],
}
ODD = [-1, 2**63, 1.0, float("nan"), *(value for values in READERS.values() for value in values)]


@pytest.mark.parametrize("read", READERS)
def test_a_field_is_of_its_type_or_null_or_an_error(read):
    for value in READERS[read]:
        assert read(TypedFields({"f": value}, "a run"), "f") == value
    assert read(TypedFields({"f": None}, "a run"), "f") is None
    assert read(TypedFields("text", "a run"), "f") is None
    for value in ODD:
        if not any(type(value) is type(good) and value == good for good in READERS[read]):
            with pytest.raises(MalformedResponse, match="dbt Cloud sent a run whose 'f' is not"):
                read(TypedFields({"f": value}, "a run"), "f")


@pytest.mark.parametrize("data", [{}, {"f": None}, None, "f", 5, ["f"]])
def test_a_required_field_that_is_missing_is_an_error(data):
    with pytest.raises(MalformedResponse, match="dbt Cloud sent a run without 'f'"):
        TypedFields(data, "a run").required_integer("f")


@pytest.mark.parametrize(
    "text", ["2026-01-02 03:04:05+00:00", "2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00"]
)
def test_a_time_has_an_offset(text):
    assert TypedFields({"f": text}, "a run").time("f") == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["2026-01-02 03:04:05", "2026-01-02", "0001-01-01T00:00:00Z", "yesterday", 7, {}]
)
def test_a_time_of_no_known_moment_is_an_error(value):
    with pytest.raises(MalformedResponse, match="whose 'f' is not a t"):
        TypedFields({"f": value}, "a run").time("f")
