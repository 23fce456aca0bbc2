"""A field of an unexpected type costs that field alone, and everything is of the type it is said to be."""

import copy
import dataclasses
import io
import json
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbtcloud.artifacts.catalog import Column, Table, stream_catalog
from dbtcloud.artifacts.manifest import ManifestPart, Owner, read_manifest, stream_manifest
from dbtcloud.artifacts.run_results import NodeResult, read_run_results
from dbtcloud.artifacts.schema import InvalidArtifact
from dbtcloud.artifacts.sources import SourceFreshness, read_sources
from shop_artifacts import ORDERS, good, manifest

on_any_machine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCHEMAS = "https://schemas.getdbt.com/dbt"
COLUMN = {"name": "id", "type": "BIGINT", "index": 1, "comment": None}
TABLE = {
    "unique_id": ORDERS,
    "metadata": {"name": "orders", "schema": "prod", "database": "w", "type": "TABLE", "owner": "dbt"},
    "columns": {"id": COLUMN, "total": {**COLUMN, "name": "total", "index": 2}},
    "stats": {"num_rows": {"id": "num_rows", "value": 220.0, "include": True}},
}
CATALOG = {"metadata": {"dbt_schema_version": f"{SCHEMAS}/catalog/v1.json"}, "nodes": {ORDERS: TABLE}}
LIMIT = {"count": 1, "period": "day"}
LOOKED = {
    "unique_id": "source.shop.raw.orders",
    "status": "warn",
    "max_loaded_at": "2026-02-03T04:00:00Z",
    "snapshotted_at": "2026-02-03T05:00:00Z",
    "max_loaded_at_time_ago_in_s": 3600.5,
    "criteria": {"warn_after": LIMIT, "error_after": LIMIT, "filter": "x > 1"},
    "error": None,
}
SOURCES = {"metadata": {"dbt_schema_version": f"{SCHEMAS}/sources/v3.json"}, "results": [LOOKED]}
MANIFEST = manifest(
    orders={"config": {"group": "finance", "freshness": {"build_after": LIMIT}}, "version": 2}
)
RESULTS = good()

_READERS = {
    "manifest": (MANIFEST, stream_manifest, ManifestPart),
    "catalog": (CATALOG, stream_catalog, Table),
    "sources": (SOURCES, read_sources, SourceFreshness),
    "run results": (RESULTS, read_run_results, NodeResult),
}

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([10**400, -(2**64), 1e308, "", "x", "1.5", "nan", "1e400", "day", "2026-99-01"])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value, place=()):
    """Where something is in a document: the keys and numbers that lead there."""
    yield place
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in entries:
        yield from places(inner, (*place, key))


def changed(document, place, value):
    """The document with another value at a place."""
    if not place:
        return value
    document = copy.deepcopy(document)
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return document


def stream(value):
    return io.BytesIO(json.dumps(value).encode())


def is_of(value, hint) -> bool:
    """Whether a value is of the type that an annotation says, with all that it holds."""
    kinds = get_args(hint)
    if hint is Any:
        return True
    if get_origin(hint) is UnionType or "Union" in str(get_origin(hint)):
        return any(is_of(value, kind) for kind in kinds)
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(is_of(each, kinds[0]) for each in value)
    if get_origin(hint) is Mapping:
        return isinstance(value, Mapping) and all(is_of(each, kinds[1]) for each in value.values())
    if type(value) is not (NoneType if hint is None else hint):
        return False
    hints = get_type_hints(hint) if dataclasses.is_dataclass(hint) else {}
    return all(is_of(getattr(value, name), kind) for name, kind in hints.items())


def test_the_check_finds_what_is_of_another_type():
    table = Table(ORDERS, columns=(Column("id"),), stats={"num_rows": 1})
    assert is_of(table, Table)
    assert not is_of(dataclasses.replace(table, columns=(Column("id", type=5),)), Table)
    assert not is_of(dataclasses.replace(table, columns=[Column("id")]), Table)
    assert not is_of(NodeResult(ORDERS, "pass", seconds=1), NodeResult)


@pytest.mark.parametrize("kind", _READERS)
@on_any_machine
@given(data=st.data())
def test_only_a_refusal_comes_out_of_a_reader_and_else_what_is_annotated(kind, data):
    document, read, hint = _READERS[kind]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(list(places(document))))
        document = changed(document, place, data.draw(ODD))
    try:
        found = list(read(stream(document)))
    except InvalidArtifact:
        return
    assert all(is_of(each, hint) for each in found), found


@pytest.mark.parametrize("value", [None, 5, "x", [None], {"a": 1}])
@pytest.mark.parametrize("place", [each for each in places(MANIFEST["nodes"][ORDERS]) if each])
def test_an_odd_field_of_a_node_loses_no_other_node_and_keeps_its_own(place, value):
    nodes = read_manifest(stream(changed(MANIFEST, ("nodes", ORDERS, *place), value))).nodes
    assert nodes.keys() == MANIFEST["nodes"].keys()
    assert (nodes[ORDERS].database, nodes[ORDERS].schema) == ("shop", "prod") or place in [
        ("database",),
        ("schema",),
    ]


def node(**fields):
    return read_manifest(stream(changed(MANIFEST, ("nodes", ORDERS), {"name": "orders", **fields}))).nodes[
        ORDERS
    ]


@pytest.mark.parametrize(
    ("tags", "read"), [(5, ("5",)), (["a", None, {}, 7, "a"], ("a", "7")), ({"a": 1}, ("c",)), (True, ("c",))]
)
def test_tags_are_texts_and_odd_ones_give_way_to_those_of_the_config(tags, read):
    assert node(tags=tags, config={"tags": ["c"]}).tags == read


@pytest.mark.parametrize("count", ["x", None, {}, [1], float("nan"), 10**400, 1e300, True])
def test_a_limit_that_is_no_time_limits_nothing(count):
    assert node(config={"freshness": {"build_after": {"count": count, "period": "day"}}}).freshness is None


def test_the_first_address_that_is_one_counts():
    assert Owner.parse({"name": None, "email": [None, {}, "ada@example.com"]}) == Owner("", "ada@example.com")


def test_odd_columns_and_counts_of_a_table_lose_no_others():
    columns = {
        "late": {"name": "late", "index": "10"},
        "gone": None,
        "early": {"name": None, "index": 2, "type": 5},
        "first": {"name": "first", "index": None},
    }
    stats = {"a": None, "b": 5, "c": {"include": True, "value": 3}}
    (table,) = stream_catalog(stream({"nodes": {ORDERS: {"columns": columns, "stats": stats}}}))
    assert table.columns == (Column("first"), Column("early", "5"), Column("late"))
    assert table.stats == {"c": 3}


@pytest.mark.parametrize(
    ("field", "value", "attribute", "read"),
    [
        ("execution_time", "quick", "seconds", 0.0),
        ("execution_time", float("nan"), "seconds", 0.0),
        ("execution_time", 10**400, "seconds", 0.0),
        ("execution_time", "1.5", "seconds", 1.5),
        ("failures", "many", "failures", None),
        ("failures", True, "failures", None),
        ("failures", 2**70, "failures", 2**70),
        ("relation_name", ["a"], "relation", None),
        ("message", {"a": 1}, "message", ""),
        ("status", [], "status", "unknown"),
        ("adapter_response", {"rows_affected": True}, "rows", None),
        ("adapter_response", {"rows_affected": float("nan")}, "rows", None),
    ],
)
def test_an_odd_field_of_a_result_is_as_if_it_were_absent(field, value, attribute, read):
    (result,) = read_run_results(stream({"results": [{"unique_id": ORDERS, field: value}]}))
    assert getattr(result, attribute) == read
