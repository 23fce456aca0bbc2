"""What is read of a manifest, and that the rest of it does no harm."""

import io
import json
from datetime import timedelta

import pytest

from dbtcloud.artifacts.freshness import Freshness
from dbtcloud.artifacts.manifest import (
    Exposure,
    Group,
    ManifestNode,
    ManifestSource,
    Owner,
    read_manifest,
    stream_manifest,
)
from dbtcloud.artifacts.schema import ArtifactSchema, InvalidArtifact

ORDERS = {
    "unique_id": "model.shop.orders",
    "name": "orders",
    "resource_type": "model",
    "package_name": "shop",
    "database": "warehouse",
    "schema": "prod",
    "relation_name": '"warehouse"."prod"."orders"',
    "original_file_path": "models/marts/orders.sql",
    "compiled_path": "/compiled/work/target/compiled/shop/models/marts/orders.sql",
    "depends_on": {"macros": ["macro.dbt.x"], "nodes": ["source.shop.raw.orders", "model.shop.customers"]},
    "config": {
        "materialized": "table",
        "group": "finance",
        "meta": {"owner": "ada@example.com", "tier": 1.5},
        "freshness": {"build_after": {"count": 4, "period": "hour", "updates_on": "any"}},
        "enabled": True,
    },
    "tags": ["nightly", "nightly"],
    "access": "protected",
    "version": 2,
    "columns": {"id": {"name": "id", "meta": {"deep": [[1, {"a": []}]]}}},
    "raw_code": "select 1",
    "refs": [{"name": "customers"}],
}
CUSTOMERS = {"unique_id": "model.shop.customers", "name": "customers", "group": "finance", "tags": "daily"}
RAW = {
    "unique_id": "source.shop.raw.orders",
    "name": "orders",
    "source_name": "raw",
    "identifier": "ORDERS_2",
    "loader": "Fivetran",
    "loaded_at_field": "loaded_at",
    "freshness": {
        "warn_after": {"count": 12, "period": "hour"},
        "error_after": {"count": None},
        "filter": "x > 1",
    },
}
DASHBOARD = {
    "unique_id": "exposure.shop.board",
    "name": "board",
    "type": "dashboard",
    "label": "The board",
    "url": "https://example.com",
    "owner": {"name": "Ada", "email": ["ada@example.com", "bob@example.com"]},
    "depends_on": {"nodes": ["model.shop.orders"]},
}
FINANCE = {
    "unique_id": "group.shop.finance",
    "name": "finance",
    "owner": {"name": "F", "email": "f@example.com"},
}


def document(version=12, **sections):
    schema = f"https://schemas.getdbt.com/dbt/manifest/v{version}.json"
    whole = {
        "metadata": {"dbt_schema_version": schema, "dbt_version": "1.10.1", "adapter_type": "duckdb"},
        "nodes": {node["unique_id"]: node for node in (ORDERS, CUSTOMERS)},
        "sources": {RAW["unique_id"]: RAW},
        "macros": {"macro.dbt.x": {"macro_sql": "{}", "depends_on": {"macros": []}}},
        "docs": {},
        "exposures": {DASHBOARD["unique_id"]: DASHBOARD},
        "groups": {FINANCE["unique_id"]: FINANCE},
        "selectors": {},
        "disabled": {"model.shop.old": [ORDERS]},
        "parent_map": {"model.shop.orders": []},
        "something_new": [1, {"a": [2]}, "text"],
    }
    return {**whole, **sections}


def stream(value):
    return io.BytesIO(value if isinstance(value, bytes) else json.dumps(value).encode())


@pytest.mark.parametrize("version", [10, 11, 12, 13])
def test_nodes_are_read_in_each_version_of_the_schema(version):
    manifest = read_manifest(stream(document(version)))
    assert (manifest.schema.version, manifest.schema.metadata["adapter_type"]) == (version, "duckdb")
    assert manifest.nodes["model.shop.orders"] == ManifestNode(
        unique_id="model.shop.orders",
        name="orders",
        package="shop",
        tags=("nightly",),
        meta={"owner": "ada@example.com", "tier": 1.5},
        original_file_path="models/marts/orders.sql",
        resource_type="model",
        database="warehouse",
        schema="prod",
        relation_name='"warehouse"."prod"."orders"',
        depends_on=("source.shop.raw.orders", "model.shop.customers"),
        compiled_path="compiled/shop/models/marts/orders.sql",
        materialized="table",
        group="finance",
        access="protected",
        version="2",
        freshness=Freshness(build_after=timedelta(hours=4)),
    )


@pytest.mark.parametrize(
    ("fields", "meta"),
    [
        ({"meta": {"owner": "top"}, "config": {"meta": {"owner": "config"}}}, {"owner": "config"}),
        ({"meta": {"owner": "top"}, "config": {"meta": {}}}, {"owner": "top"}),
        ({"meta": {"owner": "top"}, "config": {}}, {"owner": "top"}),
        ({"config": {"meta": {"owner": "config"}}}, {"owner": "config"}),
        ({"meta": {"tier": 1}, "config": {"meta": {"owner": "config"}}}, {"owner": "config"}),
    ],
)
def test_the_meta_of_the_configuration_goes_before_the_other_and_is_not_mixed_with_it(fields, meta):
    manifest = read_manifest(stream({"nodes": {"model.shop.a": fields}}))
    assert manifest.nodes["model.shop.a"].meta == meta


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("target/compiled/shop/models/a.sql", "compiled/shop/models/a.sql"),
        ("/work/target/compiled/shop/models/a.sql", "compiled/shop/models/a.sql"),
        ("compiled/shop/models/a.sql", "compiled/shop/models/a.sql"),
        ("/compiled/shop/target/compiled/shop/models/a.sql", "compiled/shop/models/a.sql"),
        ("C:\\work\\target\\compiled\\shop\\models\\a.sql", "compiled/shop/models/a.sql"),
        ("target/compiled/other/models/a.sql", None),
        ("target/compiled/shop_2/models/a.sql", None),
        ("target/precompiled/shop/models/a.sql", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_the_path_of_compiled_code_begins_below_the_target_folder(written, path):
    node = {"package_name": "shop", "compiled_path": written}
    assert (
        read_manifest(stream({"nodes": {"model.shop.a": node}})).nodes["model.shop.a"].compiled_path == path
    )


def test_what_a_node_does_not_say_is_empty():
    customers = read_manifest(stream(document())).nodes["model.shop.customers"]
    assert (customers.resource_type, customers.tags, customers.group) == ("model", ("daily",), "finance")
    assert (customers.compiled_path, customers.relation_name, customers.freshness) == (None, None, None)


def test_sources_exposures_and_groups_are_read():
    manifest = read_manifest(stream(document()))
    raw = manifest.sources["source.shop.raw.orders"]
    assert (raw.source_name, raw.identifier, raw.loader) == ("raw", "ORDERS_2", "Fivetran")
    assert raw.freshness == Freshness(warn_after=timedelta(hours=12), filter="x > 1")
    board = manifest.exposures["exposure.shop.board"]
    assert (board.owner, board.label) == (Owner("Ada", "ada@example.com"), "The board")
    assert manifest.groups["finance"].owner == Owner("F", "f@example.com")


def test_a_node_is_answered_for_by_its_own_owner_or_else_by_its_group():
    manifest = read_manifest(stream(document()))
    assert manifest.owner(manifest.nodes["model.shop.orders"]) == Owner("ada@example.com")
    assert manifest.owner(manifest.nodes["model.shop.customers"]) == Owner("F", "f@example.com")
    assert manifest.owner(ManifestNode("model.shop.x")) == Owner()


def test_children_are_what_depends_on_something():
    assert read_manifest(stream(document())).children == {
        "source.shop.raw.orders": ("model.shop.orders",),
        "model.shop.customers": ("model.shop.orders",),
        "model.shop.orders": ("exposure.shop.board",),
    }


def test_the_parts_come_one_at_a_time_before_the_file_has_ended():
    whole = json.dumps(document()).encode()
    cut = whole[: whole.index(b'"selectors"')]
    came = stream_manifest(stream(cut))
    kinds = [type(next(came)) for _ in range(6)]
    assert kinds == [ArtifactSchema, ManifestNode, ManifestNode, ManifestSource, Exposure, Group]
    with pytest.raises(InvalidArtifact, match="not complete JSON"):
        next(came)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not complete JSON"),
        (b"<html>", "not complete JSON"),
        (b"[]", "It has no 'nodes'"),
        (b"{}", "It has no 'nodes'"),
        (b'{"nodes": 3}', "It has no 'nodes'"),
        (b'"text"', "It has no 'nodes'"),
        (b'{"nodes": {"a": ', "not complete JSON"),
        (
            b'{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"}}',
            "Its metadata says run-results v6",
        ),
    ],
)
def test_what_is_no_manifest_is_refused_with_a_reason(content, why):
    with pytest.raises(InvalidArtifact, match=why) as raised:
        read_manifest(stream(content))
    assert str(raised.value).startswith("This is not a valid manifest.json.")
    assert "Use manifest.json as dbt wrote it" in str(raised.value)


def test_entries_that_are_no_objects_are_passed_over():
    assert read_manifest(stream({"nodes": {"a": None, "b": [], "c": {"name": "c"}}})).nodes == {
        "c": ManifestNode("c", "c", resource_type="c")
    }
