"""The Discovery API over a connection."""

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from dbtcloud.client.discovery import QueryRefused
from small_artifacts import manifest, run_results

MODELS = """
query ($id: BigInt!, $first: Int, $after: String) {
  environment(id: $id) { applied { models(first: $first, after: $after) {
    pageInfo { hasNextPage endCursor } edges { node { name executionInfo { lastRunStatus } } }
  } } }
}
"""


@pytest.fixture
def built(dbt_cloud):
    artifacts = {"manifest.json": manifest(), "run_results.json": run_results("an-invocation")}
    job = {"name": "Build", "pretend": {"artifacts": artifacts}}
    dbt_cloud.control.seed(runs=[{"job_id": dbt_cloud.control.seed(jobs=[job])["jobs"][0], "age": 60}])


def test_a_query_gives_its_data(hook, built):
    asked = "query ($id: BigInt!) { environment(id: $id) { adapterType } }"
    assert hook.run_discovery_query(asked, {"id": 1}) == {"environment": {"adapterType": "duckdb"}}


def test_nodes_of_all_pages_are_listed(hook, built):
    nodes = hook.list_discovery_nodes(MODELS, "environment.applied.models", {"id": 1})
    assert nodes == [{"name": "orders", "executionInfo": {"lastRunStatus": "success"}}]


def test_a_refused_query_is_an_airflow_exception_with_graphqls_errors(hook):
    with pytest.raises(DbtCloudApiException, match="no environment 9") as caught:
        hook.run_discovery_query("{ environment(id: 9) { adapterType } }")
    assert isinstance(caught.value.error, QueryRefused)
    assert caught.value.error.data == {"environment": None}


def test_the_connections_discovery_url_is_used(dbt_cloud, connect, raw_server):
    from wires.raw import answer

    raw_server.reply = answer({"data": {"here": True}})
    hook = connect(dbt_cloud, extra={"discovery_url": raw_server.url})
    assert hook.run_discovery_query("{ here }") == {"here": True}
    assert [received.target for received in raw_server.received] == ["/graphql"]


def test_a_token_does_not_travel_to_a_discovery_url_in_clear(connect):
    hook = connect(
        host="https://ab123.us1.dbt.com", extra={"discovery_url": "http://metadata.example.com/graphql"}
    )
    with pytest.raises(DbtCloudApiException, match="unencrypted"):
        hook.run_discovery_query("{ here }")
