"""GraphQL over the same protocol."""

import json

import pytest
from wires.raw import answer

from airflow_dbt_cloud.client.discovery import query
from airflow_dbt_cloud.client.errors import BadRequest, MalformedResponse

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
    with pytest.raises(BadRequest, match="No field x; No field y"):
        engine.ask(access(raw_server.url), query(QUESTION))


def test_what_is_no_answer_is_malformed(engine, raw_server, access):
    raw_server.reply = answer({"detail": "?"})
    with pytest.raises(MalformedResponse):
        engine.ask(access(raw_server.url), query(QUESTION))
