"""The Discovery API of a client: ready queries, pages, and errors that show where the query is wrong."""

from dataclasses import FrozenInstanceError

import pytest

from dbtcloud import AsyncDbtCloudClient, DbtCloudClient
from dbtcloud.errors import InvalidArgument, QueryRefused

ORDERS, LINES, RAW, TEST = (
    "model.shop.orders",
    "model.shop.lines",
    "source.shop.raw.lines",
    "test.shop.unique",
)
MODEL = {"resource_type": "model", "package_name": "shop", "config": {"materialized": "table"}}
MANIFEST = {
    "metadata": {"project_name": "shop", "adapter_type": "duckdb"},
    "nodes": {
        LINES: {**MODEL, "name": "lines", "schema": "prod", "depends_on": {"nodes": [RAW]}},
        ORDERS: {**MODEL, "name": "orders", "schema": "prod", "depends_on": {"nodes": [LINES]}},
        TEST: {"resource_type": "test", "name": "unique", "depends_on": {"nodes": [ORDERS]}},
    },
    "sources": {
        RAW: {"resource_type": "source", "name": "lines", "source_name": "raw", "identifier": "lines"}
    },
    "metrics": {
        "metric.shop.revenue": {
            "name": "revenue",
            "label": "Revenue",
            "type": "simple",
            "package_name": "shop",
        }
    },
    "parent_map": {LINES: [RAW], ORDERS: [LINES], TEST: [ORDERS], RAW: []},
}
RESULTS = {
    "results": [
        {"unique_id": LINES, "status": "success", "execution_time": 2},
        {"unique_id": ORDERS, "status": "error", "message": "division by zero", "execution_time": 0.5},
        {"unique_id": TEST, "status": "fail", "failures": 3},
    ]
}
SOURCES = {
    "results": [{"unique_id": RAW, "status": "warn", "max_loaded_at_time_ago_in_s": 7200.0}],
}


@pytest.fixture
def shop(dbt_cloud):
    """A dbt Cloud whose environment 1 has had a run of a small project."""
    artifacts = {"manifest.json": MANIFEST, "run_results.json": RESULTS, "sources.json": SOURCES}
    job = {"id": 70, "name": "Nightly", "environment_id": 1}
    dbt_cloud.control.seed(jobs=[job], runs=[{"job_id": 70, "age": 60, "pretend": {"artifacts": artifacts}}])
    return dbt_cloud


@pytest.fixture
def client(shop):
    with DbtCloudClient(shop.token, 1, shop.url) as client:
        yield client


def test_models_have_their_last_run(client):
    by_name = {model.name: model for model in client.discovery.models(1)}
    assert (by_name["lines"].status, by_name["lines"].seconds) == ("success", 2.0)
    assert (by_name["orders"].error, by_name["orders"].schema) == ("division by zero", "prod")
    assert by_name["orders"].to_dict()["materializedType"] == "table"
    assert [model.name for model in client.discovery.models(1, filter={"lastRunStatus": "error"})] == [
        "orders"
    ]


def test_a_node_cannot_be_changed(client):
    model = client.discovery.model(1, ORDERS)
    for name in ("status", "name", "unknown"):
        with pytest.raises(FrozenInstanceError):
            setattr(model, name, "x")


def test_one_model_is_found_by_its_unique_id(client):
    assert client.discovery.model(1, ORDERS).name == "orders"
    assert client.discovery.model(1, "model.shop.nothing") is None


def test_a_lineage_knows_parents_and_descendants(client):
    lineage = client.discovery.lineage(1)
    assert [node.name for node in lineage.parents(ORDERS)] == ["lines"]
    assert [node.unique_id for node in lineage.ancestors(ORDERS)] == [LINES, RAW]
    assert [node.unique_id for node in lineage.descendants(LINES)] == [ORDERS, TEST]
    assert lineage.children(TEST) == []
    assert (LINES, ORDERS) in lineage.edges
    assert set(client.discovery.lineage(1, select="+orders", types=["Model"]).nodes) == {LINES, ORDERS}
    assert set(client.discovery.lineage(1, select="orders").nodes) == {ORDERS}


def test_sources_have_their_freshness(client):
    (source,) = client.discovery.source_freshness(1)
    assert (source.source_name, source.status, source.age_seconds) == ("raw", "Warn", 7200.0)


def test_the_slowest_come_first_and_what_failed_is_listed(client):
    assert [model.name for model in client.discovery.slowest(1, limit=1)] == ["lines"]
    assert [node.unique_id for node in client.discovery.failing(1)] == [ORDERS, TEST]


def test_metrics_are_read_from_the_definition(client):
    (metric,) = client.discovery.metrics(1)
    assert (metric.unique_id, metric.label, metric.type) == ("metric.shop.revenue", "Revenue", "simple")


def test_pages_are_read_as_far_as_somebody_iterates(client, shop):
    models = (
        "models(first: $first, after: $after) { pageInfo { hasNextPage endCursor } edges { node { name } } }"
    )
    query = f"query ($first: Int, $after: String) {{ environment(id: 1) {{ applied {{ {models} }} }} }}"
    nodes = client.discovery.paginate(query, "environment.applied.models", page_size=1)
    assert next(nodes) == {"name": "lines"}
    assert sum(entry["target"] == "/graphql" for entry in shop.control.requests()) == 1
    assert list(nodes) == [{"name": "orders"}]


@pytest.mark.parametrize("size", [0, 501, True, "5"])
def test_a_page_size_that_cannot_be_is_refused(client, size):
    with pytest.raises(InvalidArgument, match="page size"):
        next(client.discovery.paginate("{ x }", "x", page_size=size))


def test_an_error_shows_the_line_of_the_query(client):
    with pytest.raises(QueryRefused, match=r"line 2 of the query: 'nothing'") as caught:
        client.discovery.query("{\n  nothing\n}")
    assert caught.value.errors[0]["locations"][0]["line"] == 2


def test_only_the_line_ends_of_graphql_count(client):
    with pytest.raises(QueryRefused, match=r"line 2 of the query: 'nothing'"):
        client.discovery.query("{ # \u2028\x0b\r\n nothing\n}")


def test_a_partial_answer_is_in_the_error(client):
    query = "query {\n  environment(id: 1) { dbtProjectName }\n  other: job(id: 999) { id }\n}"
    with pytest.raises(QueryRefused, match=r"at other, line 3 of the query: 'other: job") as caught:
        client.discovery.query(query)
    assert caught.value.data["environment"] == {"dbtProjectName": "shop"}


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda discovery: discovery.query(5), "The query is 5, no text"),
        (lambda discovery: discovery.query("{ __typename }", [1]), r"variables of the query are \[1\]"),
        (lambda discovery: list(discovery.paginate("{ a }", "a", "x")), "variables of the query are 'x'"),
        (lambda discovery: discovery.slowest(1, limit=-1), "cannot have the limit -1"),
        (lambda discovery: discovery.slowest(1, limit="3"), "cannot have the limit '3'"),
    ],
)
def test_bad_arguments_are_refused(client, use, message):
    with pytest.raises(InvalidArgument, match=message):
        use(client.discovery)


def test_one_type_of_nodes_may_be_a_text(client):
    models = client.discovery.lineage(1, types="Model")
    assert models.nodes
    assert models == client.discovery.lineage(1, types=["Model"])


async def test_the_same_is_awaited(shop):
    async with AsyncDbtCloudClient(shop.token, 1, shop.url) as client:
        assert [model.name async for model in client.discovery.models(1)] == ["lines", "orders"]
        assert (await client.discovery.lineage(1)).nodes[ORDERS].parent_ids == (LINES,)
        assert len(await client.discovery.failing(1)) == 2
