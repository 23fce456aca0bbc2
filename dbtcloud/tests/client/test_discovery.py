"""GraphQL over the same protocol."""

import json

import pytest

from dbtcloud.client.discovery import QueryRefused, nodes, query
from dbtcloud.client.errors import InvalidArgument, MalformedResponse, Unauthorized
from wires.raw import answer

QUESTION = "query ($id: BigInt!) { environment(id: $id) { applied { lastUpdatedAt } } }"


def test_a_question_is_posted_with_its_variables(engine, raw_server, access):
    raw_server.reply = answer({"data": {"environment": {"applied": None}}})
    assert engine.ask(access(raw_server.url), query(QUESTION, {"id": 7})) == {
        "environment": {"applied": None}
    }
    (received,) = raw_server.received
    assert (received.method, received.target) == ("POST", "/graphql")
    assert json.loads(received.body) == {"query": QUESTION, "variables": {"id": 7}}
    assert received.headers["content-type"] == received.headers["accept"] == "application/json"
    assert received.headers["authorization"].startswith("Token ")


def test_it_reads_only_and_so_is_repeated(engine, raw_server, access):
    raw_server.replies(answer("", 503), answer({"data": {}}))
    assert engine.ask(access(raw_server.url), query(QUESTION)) == {}
    assert len(raw_server.received) == 2


def test_errors_in_the_answer_are_told(engine, raw_server, access):
    raw_server.reply = answer(
        {"data": None, "errors": [{"message": "No field x"}, {"message": "No field y"}]}
    )
    with pytest.raises(QueryRefused, match="No field x; No field y") as caught:
        engine.ask(access(raw_server.url), query(QUESTION))
    assert [error["message"] for error in caught.value.errors] == ["No field x", "No field y"]


def test_errors_before_execution_are_told_as_well(engine, raw_server, access):
    raw_server.reply = answer({"errors": [{"message": "Syntax Error"}]}, 400)
    with pytest.raises(QueryRefused, match="Syntax Error"):
        engine.ask(access(raw_server.url), query("{"))


def test_what_was_answered_beside_an_error_is_kept(engine, raw_server, access):
    raw_server.reply = answer({"data": {"a": 1, "b": None}, "errors": [{"message": "No b", "path": ["b"]}]})
    with pytest.raises(QueryRefused) as caught:
        engine.ask(access(raw_server.url), query("{ a b }"))
    assert caught.value.data == {"a": 1, "b": None}
    assert caught.value.errors[0]["path"] == ["b"]


def test_what_is_no_answer_is_malformed(engine, raw_server, access):
    raw_server.reply = answer({"detail": "?"})
    with pytest.raises(MalformedResponse):
        engine.ask(access(raw_server.url), query(QUESTION))


PAGED = """
query ($id: BigInt!, $first: Int, $after: String) {
  environment(id: $id) { applied { models(first: $first, after: $after) {
    pageInfo { hasNextPage endCursor } edges { node { uniqueId } }
  } } }
}
"""
MODELS = "environment.applied.models"


def seeded(dbt_cloud, count):
    names = [f"model.shop.m{place:04}" for place in range(count)]
    manifest = {"nodes": {name: {"name": name.split(".")[2]} for name in names}}
    results = {"results": [{"unique_id": name, "status": "success"} for name in names]}
    pretend = {"artifacts": {"manifest.json": manifest, "run_results.json": results}}
    job_id = dbt_cloud.control.seed(jobs=[{"name": "Wide", "pretend": pretend}])["jobs"][0]
    dbt_cloud.control.seed(runs=[{"job_id": job_id, "age": 60}])
    return names


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (3, 2), (4, 2), (5, 3)])
def test_every_page_is_read_and_none_twice(engine, dbt_cloud, access, count, requests):
    expected = seeded(dbt_cloud, count)
    dbt_cloud.control.clear_requests()
    found = engine.ask(
        access(dbt_cloud.url, token=dbt_cloud.token), nodes(PAGED, MODELS, {"id": 1}, page_size=2)
    )
    assert [node["uniqueId"] for node in found] == expected
    assert dbt_cloud.control.counters()["requests"] == requests


@pytest.mark.parametrize(
    ("page", "path"),
    [
        ({"edges": []}, "environment.models"),
        ({"edges": [], "pageInfo": {"hasNextPage": False}}, "environment.models"),
        ({"edges": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}, "environment.tests"),
        (None, "environment.models.edges"),
    ],
)
def test_what_is_no_connection_is_named(engine, raw_server, access, page, path):
    raw_server.reply = answer({"data": {"environment": {"models": page}}})
    with pytest.raises(InvalidArgument, match=rf"no connection at '{path}'.*hasNextPage endCursor"):
        engine.ask(access(raw_server.url), nodes(PAGED, path))


def test_the_local_dbt_cloud_refuses_in_the_same_words(engine, dbt_cloud, access):
    here = access(dbt_cloud.url, token=dbt_cloud.token)
    with pytest.raises(QueryRefused, match="Cannot query field 'nothing' on type 'Query'"):
        engine.ask(here, query("{ nothing }"))
    with pytest.raises(QueryRefused, match="no environment 99") as caught:
        engine.ask(here, query(QUESTION, {"id": 99}))
    assert caught.value.errors[0]["extensions"]["code"] == "NOT_FOUND"
    with pytest.raises(Unauthorized, match="Invalid token"):
        engine.ask(access(dbt_cloud.url, token="another"), query(QUESTION, {"id": 1}))
