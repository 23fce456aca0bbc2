"""Whatever is asked, the answer is GraphQL's and never a failure of the server."""

import json

import pytest
from graphql import print_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from dbtcloud.local.discovery.schema import discovery_schema
from shop_artifacts import good, manifest

SCHEMA = print_schema(discovery_schema())
SCALARS = {
    "BigInt": st.sampled_from([1, 7, 99]).map(nodes.Int),  # an environment, the job, and nothing
    "DateTime": st.just("2026-02-03T04:05:06Z").map(nodes.String),
    "JSONObject": st.just(nodes.Object([])),
}
# Each example is one request to a server that lives as long as the module.
quick = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


@pytest.fixture
def ask(shop):
    shop.built(90)
    shop.ran(60, manifest=manifest(), run_results=good(), sources="[]", catalog={"nodes": {}})

    def ask(body):
        response = shop.api.ask("/graphql", "POST", data=body)
        told = response.json()
        assert response.status_code in {200, 400}, response.text
        assert ("data" in told) == (response.status_code == 200)
        errors = told.get("errors", [])
        assert all(error["message"] and error["extensions"]["code"] for error in errors)
        assert all(error["extensions"]["code"] != "INTERNAL_SERVER_ERROR" for error in errors), response.text
        return told

    return ask


@given(query=queries(SCHEMA, custom_scalars=SCALARS, allow_null=True))
@settings(quick, max_examples=80)
def test_queries_that_the_schema_allows(ask, query):
    ask(json.dumps({"query": query}).encode())


@given(text=st.text(alphabet='{}()[]!:$@."#… \nabenvironmentapplied1', max_size=80))
@settings(quick, max_examples=150)
def test_texts_that_look_a_little_like_queries(ask, text):
    assert "errors" in ask(json.dumps({"query": text}).encode())


@given(body=st.binary(max_size=60))
@settings(quick, max_examples=50)
def test_bodies_of_any_bytes(ask, body):
    ask(body)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
WITH_VARIABLES = """
query ($id: BigInt!, $first: Int, $after: String, $filter: ModelAppliedFilter, $sort: AppliedModelSort) {
  environment(id: $id) { applied {
    models(first: $first, after: $after, filter: $filter, sort: $sort) { totalCount edges { cursor } }
  } }
}
"""


@given(
    variables=st.fixed_dictionaries(
        {"id": st.just(1) | ANYTHING},
        optional=dict.fromkeys(("first", "after", "filter", "sort"), ANYTHING),
    )
)
@settings(quick, max_examples=150)
def test_variables_of_any_value(ask, variables):
    ask(json.dumps({"query": WITH_VARIABLES, "variables": variables}).encode())
