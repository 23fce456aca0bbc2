"""The tables that a database has, as dbt found them."""

import io
import json

import pytest

from dbtcloud.artifacts.catalog import Column, Table, read_catalog
from dbtcloud.artifacts.schema import InvalidArtifact

TABLE = {
    "metadata": {
        "type": "BASE TABLE",
        "schema": "prod",
        "name": "orders",
        "database": "w",
        "comment": None,
        "owner": "dbt",
    },
    "columns": {
        "total": {"type": "DOUBLE", "index": 2, "name": "total", "comment": "Euros"},
        "id": {"type": "BIGINT", "index": 1, "name": "id", "comment": None},
    },
    "stats": {
        "has_stats": {"id": "has_stats", "value": True, "include": False},
        "num_rows": {"id": "num_rows", "value": 220.0, "include": True},
        "bytes": {"id": "bytes", "value": 1, "include": False},
    },
    "unique_id": "model.shop.orders",
}


def stream(value):
    return io.BytesIO(json.dumps(value).encode())


def test_tables_of_nodes_and_sources_are_read_with_their_columns_in_order():
    metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json"}
    raw = {"metadata": {"name": "raw"}, "columns": {}, "stats": {}}
    catalog = read_catalog(
        stream(
            {
                "metadata": metadata,
                "nodes": {"model.shop.orders": TABLE},
                "sources": {"source.shop.raw.orders": raw},
                "errors": None,
            }
        )
    )
    assert catalog == {
        "model.shop.orders": Table(
            "model.shop.orders",
            "orders",
            "w",
            "prod",
            "BASE TABLE",
            "dbt",
            columns=(Column("id", "BIGINT"), Column("total", "DOUBLE", "Euros")),
            stats={"num_rows": 220.0},
        ),
        "source.shop.raw.orders": Table("source.shop.raw.orders", "raw"),
    }


def test_what_is_no_catalog_is_refused():
    with pytest.raises(
        InvalidArtifact, match=r"^This is not a valid catalog.json. It has no 'nodes'. Use catalog.json"
    ):
        read_catalog(stream({"results": []}))
