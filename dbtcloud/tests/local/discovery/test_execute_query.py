"""What is wrong with a query is said in GraphQL's words, and no query takes the server down."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest
import requests
from graphql import get_introspection_query

from dbtcloud.local.discovery import query_limits
from dbtcloud.local.discovery.execute_query import execute_query
from dbtcloud.local.discovery.project_state import EnvironmentState
from dbtcloud.local.discovery.query_resolvers import QueryResolvers
from dbtcloud.local.discovery.run_artifacts import ArtifactSource, ParsedArtifacts
from dbtcloud.local.model.records import RunRecord
from dbtcloud.local.server.in_thread import LocalDbtCloud
from shop_artifacts import result, results, table


def deep(fields):
    return f"{{ environment(id: 1) {{ applied {{ models {{ edges {{ node {{ {fields} }} }} }} }} }} }}"


def refused(response, code):
    body = response.json()
    assert response.status_code == 400, response.text
    assert "data" not in body
    assert {error["extensions"]["code"] for error in body["errors"]} == {code}
    return body["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "the query is text"),
        (b'[{"query": "{ __typename }"}]', "the query is text"),
        (b'{"query": 7}', "the query is text"),
        (b'{"query": "{ __typename }", "variables": []}', "'variables' must be an object"),
        (b'{"query": "{ __typename }", "operationName": 1}', "'operationName' must be text"),
    ],
)
def test_a_body_that_is_no_graphql_request_is_named(shop, body, said):
    assert said in refused(shop.api.ask("/graphql", "POST", data=body), "BAD_REQUEST")


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("{ environment", "GRAPHQL_PARSE_FAILED", "Expected Name"),
        ("", "GRAPHQL_PARSE_FAILED", "Unexpected <EOF>"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'nothing'"),
        (
            "{ environment { adapterType } }",
            "GRAPHQL_VALIDATION_FAILED",
            "of type 'BigInt!' is required",
        ),
        (
            '{ environment(id: "x") { adapterType } }',
            "GRAPHQL_VALIDATION_FAILED",
            "BigInt cannot represent 'x'",
        ),
        ("{ environment(id: 1.5) { adapterType } }", "GRAPHQL_VALIDATION_FAILED", "BigInt cannot represent"),
        ("mutation { x }", "GRAPHQL_VALIDATION_FAILED", "mutation operation is not supported"),
        ("query A { __typename } query B { __typename }", "BAD_USER_INPUT", "Must provide operation name"),
        (
            "fragment f on Query { ...f } { ...f }",
            "GRAPHQL_VALIDATION_FAILED",
            "Cannot spread fragment 'f' within itself",
        ),
    ],
)
def test_a_query_that_cannot_be_executed_is_named(shop, query, code, said):
    assert said in refused(shop.post(query), code)


def test_variables_are_checked(shop):
    query = "query ($id: BigInt!) { environment(id: $id) { adapterType } }"
    assert "of non-null type 'BigInt!' to be provided" in refused(shop.post(query), "BAD_USER_INPUT")
    assert "BigInt cannot represent 'one'" in refused(shop.post(query, id="one"), "BAD_USER_INPUT")
    assert "BigInt cannot represent" in refused(shop.post(query, id=10**30), "BAD_USER_INPUT")


@pytest.mark.parametrize("given", [1, "1"])
def test_ids_may_be_numbers_or_their_text(shop, given):
    query = "query ($id: BigInt!) { environment(id: $id) { adapterType } }"
    assert shop.ask(query, id=given) == {"environment": {"adapterType": None}}


def test_a_part_that_fails_leaves_the_rest(shop):
    answer = shop.post("{ a: environment(id: 1) { adapterType } b: environment(id: 2000) { adapterType } }")
    assert answer.status_code == 200
    assert answer.json()["data"] == {"a": {"adapterType": None}, "b": None}
    (error,) = answer.json()["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["b"], "NOT_FOUND")
    assert "no environment 2000" in error["message"]


def test_a_job_without_a_finished_run_is_named(shop):
    (error,) = shop.post(f"{{ job(id: {shop.job_id}, runId: 7) {{ runId }} }}").json()["errors"]
    assert error["message"] == f"Job {shop.job_id} has no finished run 7, or the token may not see it."


def test_the_schema_tells_itself(shop):
    told = shop.ask(get_introspection_query())["__schema"]
    types = {each["name"]: each for each in told["types"]}
    assert {field["name"] for field in types["Query"]["fields"]} == {"environment", "job", "metrics"}
    assert {field["name"] for field in types["AppliedState"]["fields"]} >= {
        *("models", "tests", "sources", "seeds", "snapshots", "exposures", "resources"),
        *("lineage", "modelHistoricalRuns", "packages", "owners", "tags", "lastUpdatedAt"),
    }


def test_it_is_served_under_both_paths_with_and_without_a_slash(shop):
    for path in ("/graphql", "/graphql/", "/beta/graphql", "/beta/graphql/"):
        assert shop.api.ask(path, "POST", json={"query": "{ __typename }"}).json() == {
            "data": {"__typename": "Query"}
        }


def test_a_wrong_token_is_refused_in_graphqls_shape(shop):
    answer = shop.api.ask(
        "/graphql", "POST", json={"query": "{ x }"}, headers={"Authorization": "Token wrong"}
    )
    assert answer.status_code == 401
    assert answer.json() == {
        "errors": [{"message": "Invalid token.", "extensions": {"code": "UNAUTHENTICATED"}}]
    }


def test_a_long_query_is_refused_before_it_is_compared_with_itself(shop):
    begin = time.monotonic()
    fields = " ".join(f"a{place}: __typename" for place in range(50_000))
    message = refused(shop.post(f"{{ {fields} }}"), "GRAPHQL_PARSE_FAILED")
    assert "token" in message
    assert time.monotonic() - begin < 2


def test_a_deep_query_is_refused(shop):
    nested = "parents { " * 20 + "name" + " }" * 20
    messages = [error["message"] for error in shop.post(deep(nested)).json()["errors"]]
    assert f"The query is more than {query_limits.MAX_DEPTH} fields deep." in messages
    refused(shop.post("{ a " * 1_900), "GRAPHQL_PARSE_FAILED")
    refused(shop.post("{ environment(id: " + "[" * 1_900), "GRAPHQL_PARSE_FAILED")


def test_fragments_spread_within_one_another_are_measured_once(shop):
    fragments = "".join(f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }} " for i in range(100))
    begin = time.monotonic()
    assert shop.post(f"{fragments} fragment f100 on Query {{ __typename }} {{ ...f0 }}").status_code == 200
    assert time.monotonic() - begin < 5


class Nothing:
    """A repository without runs."""

    def environment(self, *_):
        return EnvironmentState()


def test_an_answer_that_grows_too_large_is_refused_as_a_whole():
    asked = b'{"query": "{ environment(id: 1) { adapterType dbtProjectName } }"}'
    status, _ = execute_query(asked, QueryResolvers(Nothing()), max_fields=3)
    assert status == 200
    status, refusal = execute_query(asked, QueryResolvers(Nothing()), max_fields=2)
    assert status == 400
    assert "more than 2 fields. Request fewer at once." in refusal["errors"][0]["message"]


def test_the_server_answers_others_while_it_is_at_a_large_project(shop):
    nodes = {f"model.shop.m{i}": table(f"m{i}") for i in range(20_000)}
    shop.ran(manifest={"nodes": nodes}, run_results=results(*map(result, nodes)))
    asking = threading.Thread(target=shop.post, args=(deep("name tests { name }"),))
    others = 0
    asking.start()
    while asking.is_alive():
        others += bool(shop.api.control.counters())
    asking.join()
    assert others > 3


@pytest.mark.parametrize(
    ("permission", "status"), [("metadata_only", 200), ("job_viewer", 200), ("job_runner", 403)]
)
def test_a_token_must_be_allowed_to_read_the_metadata(shop, permission, status):
    token = shop.api.control.add_token(permission)
    headers = {"Authorization": f"Bearer {token}"}
    answer = shop.api.ask("/graphql", "POST", json={"query": "{ __typename }"}, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_the_library_that_it_takes_is_named_where_it_is_missing(tmp_path):
    (tmp_path / "graphql.py").write_text("raise ModuleNotFoundError('no', name='graphql')")
    program = (
        "import requests; from dbtcloud.local.server.in_thread import LocalDbtCloud\n"
        "with LocalDbtCloud(token='t') as cloud:\n"
        "    headers = {'Authorization': 'Token t'}\n"
        "    answer = requests.post(f'{cloud.url}/graphql', json={'query': '{x}'}, headers=headers)\n"
        "    print(answer.status_code, answer.text)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("501 ")
    assert "pip install 'dbtcloud[local]'" in done.stdout


def test_a_large_artifact_of_a_real_run_is_read_like_a_small_one(tmp_path):
    nodes = {
        f"model.shop.m{i}": table(f"m{i}", config={"ratio": 0.5}, meta={"none": None}) for i in range(9_000)
    }
    run = RunRecord(1, 1, 1, 1, 1, created_at=0, finished_at=1)
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_text(json.dumps({"nodes": nodes}))
    (tmp_path / "target" / "run_results.json").write_text("{" + " " * 2_000_000)
    record = ParsedArtifacts.read(ArtifactSource(run, tmp_path))
    assert record.results == {}
    assert record.bodies["model.shop.m7"]["config"] == {"ratio": 0.5}
    assert len(record.bodies) == 9_000


def test_nothing_of_it_outlives_the_server():
    before = set(threading.enumerate())
    with LocalDbtCloud() as server:
        headers = {"Authorization": f"Token {server.token}"}
        requests.post(f"{server.url}/graphql", json={"query": "{ __typename }"}, headers=headers, timeout=10)
        assert any(thread.name.startswith("discovery") for thread in threading.enumerate())
    assert set(threading.enumerate()) == before
