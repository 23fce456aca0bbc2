"""One definition of each endpoint: what it asks for, on the wire, by each engine; and how it reads pages."""

import inspect
import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtcloud.client import endpoints as api
from dbtcloud.client.errors import InvalidArgument, MalformedResponse
from dbtcloud.client.protocol import Request, _query_values
from wires.calls import CASES, EACH
from wires.raw import answer, envelope


def test_every_endpoint_is_shown_here():
    written = {
        name
        for name, function in inspect.getmembers(api, inspect.isfunction)
        if function.__module__ == api.__name__
        and str(function.__annotations__.get("return")).startswith("Call[")
    }
    assert written | {"Request.custom", "paging.list_rows"} == set(CASES)


@pytest.mark.parametrize("case", EACH)
def test_an_endpoint_asks_for_what_dbt_cloud_documents(case, engine, raw_server, access):
    raw_server.reply = answer(envelope(case.data))
    engine.ask(access(raw_server.url), case.call())
    (received,) = raw_server.received
    assert (received.method, received.target) == (case.method, case.target)
    assert received.headers["accept"] == case.accept
    assert received.headers["authorization"] == "Token dbtc_a-token-for-tests"
    assert received.headers["host"] == raw_server.url.removeprefix("http://")
    assert (json.loads(received.body) if received.body else None) == case.body
    assert received.headers.get("content-type") == ("application/json" if case.body else None)


def page(rows: list[int], total: int | None = None) -> bytes:
    return answer(envelope([{"id": number} for number in rows], total=total))


def test_reading_pages_ends_at_the_stated_total(engine, raw_server, access):
    raw_server.replies(page([1, 2], total=3), page([3], total=3), page([]))
    found = engine.ask(access(raw_server.url), api.list_jobs(1))
    assert [job.id for job in found] == [1, 2, 3]
    assert len(raw_server.received) == 2


def test_an_empty_page_before_the_stated_total_is_asked_for_again(engine, raw_server, access):
    raw_server.replies(page([1, 2], total=3), page([], total=3), page([3], total=3))
    assert [job.id for job in engine.ask(access(raw_server.url), api.list_jobs(1))] == [1, 2, 3]
    raw_server.replies(page([1, 2], total=900), page([], total=900))
    with pytest.raises(MalformedResponse, match="a page of 0 rows at offset 2 of a list with 900 rows"):
        engine.ask(access(raw_server.url), api.list_jobs(1))


def test_a_list_without_pages_is_complete(engine, raw_server, access):
    raw_server.reply = page([1, 2])
    assert len(engine.ask(access(raw_server.url), api.list_jobs(1))) == 2


def test_null_is_an_empty_list_only_where_dbt_cloud_sends_it(engine, raw_server, access):
    raw_server.reply = answer(envelope(None, total=0))
    assert engine.ask(access(raw_server.url), api.list_jobs(1)) == []
    raw_server.reply = answer(envelope(None))
    assert engine.ask(access(raw_server.url), api.list_artifacts(1, 2)) == []
    for call in (api.list_jobs(1), api.list_runs_page(1), api.list_accounts()):
        with pytest.raises(MalformedResponse, match="did not send a list where one was expected"):
            engine.ask(access(raw_server.url), call)


def test_all_of_two_hundred_and_fifty_runs_are_read_in_three_pages(engine, dbt_cloud, access):
    dbt_cloud.control.seed(
        jobs=[{"id": 70, "name": "Nightly", "pretend": {}}], runs=[{"job_id": 70, "count": 250}]
    )
    runs = engine.ask(access(dbt_cloud.url, token=dbt_cloud.token), api.list_runs(1, job_definition_id=70))
    assert len({run.id for run in runs}) == 250
    assert dbt_cloud.control.counters()["requests"] == 3


@pytest.mark.parametrize(
    "body",
    [
        {"status": {"code": 200}},
        ["data"],
        {"data": [{"name": "no id"}]},
        {"data": ["text"]},
        {"data": 7},
        {"data": [{"id": 1}], "extra": {"pagination": {"total_count": "many"}}},
        {"data": [{"id": 1}], "extra": {"pagination": None}},
        {"data": [{"id": 1}], "extra": {"pagination": 5}},
        {"data": [{"id": 1}], "extra": {"pagination": {"total_count": True}}},
        {"data": [{"id": 1}], "extra": {"pagination": {"total_count": -1}}},
        {"data": [{"id": 1}], "extra": {"pagination": {"total_count": 0}}},
        {"data": [{"id": 1}], "extra": 5},
        {"data": [{"id": [1]}]},
        {"data": [{"id": True}]},
        {"data": [{"id": 1}, {"id": 1}]},
        {"data": [{"id": 1, "name": ["x"]}]},
        {"data": [], "status": {"is_success": False}},
    ],
    ids=json.dumps,
)
def test_a_list_of_the_wrong_shape_is_malformed(body, engine, raw_server, access):
    raw_server.reply = answer(body)
    with pytest.raises(MalformedResponse, match=r"dbt Cloud|contradicts itself"):
        engine.ask(access(raw_server.url), api.list_jobs(1))
    assert len(raw_server.received) == 4


@pytest.mark.parametrize(
    "run",
    [
        {"status": 1},
        {"id": 1},
        "text",
        None,
        {"id": 1, "status": 1, "run_steps": [{"name": "no index"}]},
        {"id": 1, "status": 1, "run_steps": 5},
        {"id": 1, "status": 1, "run_steps": ["x"]},
        {"id": 1, "status": 1, "trigger": "scheduled"},
        {"id": 1, "status": 1, "trigger": {"cause": 5}},
        {"id": [1], "status": 1},
        {"id": 10**30, "status": 1},
        {"id": 1, "status": [3]},
        {"id": 1, "status": 3.0},
        {"id": 1, "status": float("nan")},
        {"id": 1, "status": 1, "href": 5},
        {"id": 1, "status": 1, "created_at": "2026-11-27 22:00:00"},
        {"id": 1, "status": 1, "finished_at": "yesterday"},
        {"id": 1, "status": 1, "retrying_run_id": [1]},
    ],
    ids=json.dumps,
)
def test_a_run_without_what_makes_a_run_is_malformed(run, engine, raw_server, access):
    raw_server.reply = answer(envelope(run))
    with pytest.raises(MalformedResponse, match="dbt Cloud sent a"):
        engine.ask(access(raw_server.url), api.get_run(1, 2))


@pytest.mark.parametrize(
    "wrong", ["../1", "1/../2", "", " ", "1.5", "-1", "١٢", "acme", None, True, "1?x", "1%2F2"]
)
@pytest.mark.parametrize(
    "call",
    [
        api.get_account,
        lambda wrong: api.get_project(1, wrong),
        lambda wrong: api.get_environment(1, 2, wrong),
        lambda wrong: api.get_job(1, wrong),
        lambda wrong: api.get_run(1, wrong),
        lambda wrong: api.trigger_run(1, wrong, {}),
        lambda wrong: api.cancel_run(1, wrong),
        lambda wrong: api.get_artifact(1, wrong, "manifest.json"),
    ],
    ids=["account", "project", "environment", "job", "run", "trigger", "cancel", "artifact"],
)
def test_an_id_that_is_no_number_is_refused_before_sending(call, wrong):
    with pytest.raises(InvalidArgument, match=r"is not a valid .* id"):
        next(call(wrong))


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.lists(st.one_of(st.integers(), st.text())),
    st.frozensets(st.integers()),
    st.datetimes(),
    st.lists(st.datetimes(), max_size=2),
)


@given(st.dictionaries(st.text(min_size=1), values))
def test_query_values_are_text_with_lists_as_one_json_array(query):
    sent = _query_values(query)
    assert set(sent) == {name for name, value in query.items() if value is not None}
    for name, text in sent.items():
        assert isinstance(text, str)
        if isinstance(query[name], list):
            assert json.loads(text) == [
                each if isinstance(each, int | str) else str(each) for each in query[name]
            ]


@given(st.dictionaries(st.text(min_size=1), values, max_size=4))
def test_a_query_is_read_back_as_it_was_meant(query):
    sent = _query_values(query)
    target = urlsplit("http://x" + Request("GET", "/a/", sent).target)
    assert dict(parse_qsl(target.query, keep_blank_values=True)) == sent
