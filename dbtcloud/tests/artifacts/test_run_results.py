"""What dbt writes about the nodes of a command."""

import io
import json

import pytest

from dbtcloud.artifacts.json_stream import PIECE_BYTES
from dbtcloud.artifacts.run_results import NodeResult, read_run_results
from dbtcloud.artifacts.schema import InvalidArtifact


def node(**fields):
    return {"unique_id": "model.shop.orders", "status": "success", "execution_time": 1.5, **fields}


def read(document):
    return read_run_results(io.BytesIO(json.dumps(document).encode()))


def test_a_node_is_read_with_what_the_adapter_counted():
    document = {
        "results": [node(adapter_response={"rows_affected": 7}, message="INSERT 7", relation_name='"a"."b"')]
    }
    assert read(document) == (
        NodeResult("model.shop.orders", "success", 1.5, "INSERT 7", rows=7, relation='"a"."b"'),
    )


@pytest.mark.parametrize("response", [{"rows_affected": -1}, {"rows_affected": "7"}, "SUCCESS 1", None])
def test_rows_that_were_not_counted_are_none(response):
    assert NodeResult.parse({"unique_id": "model.shop.orders", "adapter_response": response}).rows is None


def test_fields_that_are_missing_or_unknown_do_no_harm():
    (result,) = read({"results": [{"unique_id": "seed.shop.raw", "batch_results": None, "new": 1}]})
    assert (result.status, result.seconds, result.message, result.rows) == ("unknown", 0.0, "", None)


def test_entries_that_name_no_node_are_left_out():
    assert read({"results": [None, {}, {"unique_id": None}]}) == ()


@pytest.mark.parametrize("document", [None, [], {}, {"results": None}, "text"])
def test_what_is_no_run_results_is_refused(document):
    with pytest.raises(ValueError, match="has no 'results'"):
        read(document)


@pytest.mark.parametrize(
    ("unique_id", "kind", "name"),
    [
        ("model.shop.orders", "model", "orders"),
        ("model.shop.orders.v2", "model", "orders.v2"),
        ("test.shop.not_null_orders_id.0a1b2c3d4e", "test", "not_null_orders_id"),
        ("test.shop.no_sale_on_a_sunday", "test", "no_sale_on_a_sunday"),
        ("odd", "odd", "odd"),
    ],
)
def test_a_nodes_own_name_is_without_package_and_hash(unique_id, kind, name):
    result = NodeResult(unique_id, "pass")
    assert (result.kind, result.name) == (kind, name)


@pytest.mark.parametrize(
    ("status", "failed"),
    [
        ("error", True),
        ("fail", True),
        ("partial success", True),
        ("warn", False),
        ("no-op", False),
        ("reused", False),
    ],
)
def test_warnings_and_untouched_nodes_have_not_failed(status, failed):
    assert NodeResult("model.shop.orders", status).failed is failed


@pytest.mark.parametrize("version", [4, 5, 6])
def test_a_file_of_each_schema_is_read(version):
    schema = {"dbt_schema_version": f"https://schemas.getdbt.com/dbt/run-results/v{version}.json"}
    entries = [node(adapter_response={"rows_affected": 7}, compiled_code="x", timing=[{"name": "a"}]), {}]
    document = {"metadata": schema, "results": entries, "elapsed_time": 1.5, "args": {"which": "build"}}
    (result,) = read(document)
    assert (result.unique_id, result.rows) == ("model.shop.orders", 7)


def test_another_artifact_is_not_taken_for_it():
    document = {"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/sources/v3.json"}}
    with pytest.raises(InvalidArtifact, match="says sources v3"):
        read({**document, "results": []})


class Reads(io.BytesIO):
    """Keeps how many bytes each read asks for."""

    def __init__(self, content):
        super().__init__(content)
        self.sizes = []

    def read(self, size=-1):
        self.sizes.append(size)
        return super().read(size)


@pytest.mark.parametrize("text", ["a", "\\\\n", '\\"', "NaN "], ids=["letters", "escapes", "quotes", "words"])
def test_a_long_text_is_read_in_ever_larger_pieces_as_parsers_begin_it_anew_with_each(text):
    long = text * (4 * 1024 * 1024 // len(text))
    padding = " " * 6 * 1024 * 1024
    body = f'{{"results": [{{"unique_id": "model.shop.a", "message": "{long}"}}], {padding} "x": 1}}'
    stream = Reads(body.encode())
    assert [each.message for each in read_run_results(stream)] == [json.loads(f'"{long}"')]
    assert max(stream.sizes) >= 1024 * 1024
    assert stream.sizes.index(max(stream.sizes)) < 10
    assert stream.sizes[-1] == PIECE_BYTES
