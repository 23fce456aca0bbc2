"""One definition of each endpoint: what it asks for, on the wire, by each engine; and how it reads pages."""

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wires.raw import answer, envelope

from airflow_dbt_cloud.client import endpoints as api
from airflow_dbt_cloud.client.errors import InvalidArgument, MalformedResponse
from airflow_dbt_cloud.client.protocol import Call, Request

IT = {"id": 1, "status": 10, "name": "it"}
PAGE = "limit=100&offset=0"


@dataclass(frozen=True)
class Case:
    """A call, and what it has to put on the wire."""

    call: Callable[[], Call[Any]]
    target: str
    method: str = "GET"
    body: dict[str, Any] | None = None
    accept: str = "application/json"
    data: Any = None


def lists(call: Callable[[], Call[Any]], target: str) -> Case:
    return Case(call, target, data=[])


def posts(call: Callable[[], Call[Any]], target: str, body: dict[str, Any] | None = None) -> Case:
    return Case(call, target, "POST", body, data=IT)


def gets(call: Callable[[], Call[Any]], target: str) -> Case:
    return Case(call, target, data=IT)


CASES = {
    "list_accounts": [lists(api.list_accounts, "/api/v3/accounts/")],
    "get_account": [gets(lambda: api.get_account(7), "/api/v2/accounts/7/")],
    "list_projects": [
        lists(lambda: api.list_projects(7), f"/api/v3/accounts/7/projects/?{PAGE}"),
        lists(
            lambda: api.list_projects("7", name_contains="Büro & Co/1"),
            f"/api/v3/accounts/7/projects/?name__icontains=B%C3%BCro%20%26%20Co%2F1&{PAGE}",
        ),
    ],
    "get_project": [gets(lambda: api.get_project(7, "8"), "/api/v3/accounts/7/projects/8/")],
    "list_environments": [
        lists(
            lambda: api.list_environments(7, 8, name_contains="Prod"),
            f"/api/v3/accounts/7/projects/8/environments/?name__icontains=Prod&{PAGE}",
        )
    ],
    "get_environment": [
        gets(lambda: api.get_environment(7, 8, 9), "/api/v3/accounts/7/projects/8/environments/9/")
    ],
    "list_jobs": [
        lists(
            lambda: api.list_jobs(7, project_id=8, environment_id=9, name_contains="100% +", order_by="-id"),
            "/api/v2/accounts/7/jobs/?project_id=8&environment_id=9&name__icontains=100%25%20%2B"
            f"&order_by=-id&{PAGE}",
        )
    ],
    "get_job": [gets(lambda: api.get_job(7, "70403110257794"), "/api/v2/accounts/7/jobs/70403110257794/")],
    "trigger_run": [
        posts(
            lambda: api.trigger_run(7, 70, {"cause": "Täglich 🥖", "steps_override": ["dbt build"]}),
            "/api/v2/accounts/7/jobs/70/run/",
            {"cause": "Täglich 🥖", "steps_override": ["dbt build"]},
        )
    ],
    "rerun_job": [posts(lambda: api.rerun_job(7, 70), "/api/v2/accounts/7/jobs/70/rerun/")],
    "list_runs": [
        lists(
            lambda: api.list_runs(7, include_related=["trigger", "job"], status__in=(1, 2), order_by=None),
            "/api/v2/accounts/7/runs/?include_related=%5B%22trigger%22%2C%22job%22%5D"
            f"&status__in=%5B1%2C2%5D&{PAGE}",
        )
    ],
    "list_runs_page": [
        lists(
            lambda: api.list_runs_page(7, pk__in=[70403110257794, 2], limit=2),
            "/api/v2/accounts/7/runs/?pk__in=%5B70403110257794%2C2%5D&limit=2",
        )
    ],
    "get_run": [
        gets(lambda: api.get_run(7, 42), "/api/v2/accounts/7/runs/42/"),
        gets(
            lambda: api.get_run(7, 42, include_related=["run_steps"]),
            "/api/v2/accounts/7/runs/42/?include_related=%5B%22run_steps%22%5D",
        ),
    ],
    "cancel_run": [posts(lambda: api.cancel_run(7, 42), "/api/v2/accounts/7/runs/42/cancel/")],
    "retry_run": [posts(lambda: api.retry_run(7, 42), "/api/v2/accounts/7/runs/42/retry/")],
    "list_artifacts": [
        lists(lambda: api.list_artifacts(7, 42, step=3), "/api/v2/accounts/7/runs/42/artifacts/?step=3")
    ],
    "get_artifact": [
        Case(
            lambda: api.get_artifact(7, 42, "compiled/shop/a b+ü~'(1).sql", step=4),
            "/api/v2/accounts/7/runs/42/artifacts/compiled/shop/a%20b%2B%C3%BC~%27%281%29.sql?step=4",
            accept="*/*",
        )
    ],
    "get_json_artifact": [
        Case(
            lambda: api.get_json_artifact(7, 42, "manifest.json"),
            "/api/v2/accounts/7/runs/42/artifacts/manifest.json",
            accept="*/*",
        )
    ],
    "one": [
        gets(lambda: api.one(api.read(7, "jobs", query={"limit": 1})), "/api/v2/accounts/7/jobs/?limit=1")
    ],
    "rows": [lists(lambda: api.rows(api.read(7, "runs")), f"/api/v2/accounts/7/runs/?{PAGE}")],
    "any_of": [
        gets(
            lambda: api.any_of(api.below_accounts("get", "7/steps/4/", {"a": True}, "v3")),
            "/api/v3/accounts/7/steps/4/?a=true",
        ),
        Case(
            lambda: api.any_of(api.below_accounts("GET", "7/runs/42/artifacts/a/b.json", {"step": 2}, "v2")),
            "/api/v2/accounts/7/runs/42/artifacts/a/b.json?step=2",
            accept="*/*",
        ),
        posts(
            lambda: api.any_of(api.below_accounts("post", "7/jobs/70/run", {"cause": "x"}, "v2")),
            "/api/v2/accounts/7/jobs/70/run/",
            {"cause": "x"},
        ),
    ],
}
EACH = [pytest.param(case, id=f"{name}-{place}") for name in CASES for place, case in enumerate(CASES[name])]


def test_every_endpoint_is_shown_here():
    written = {
        name
        for name, function in inspect.getmembers(api, inspect.isfunction)
        if function.__module__ == api.__name__
        and str(function.__annotations__.get("return")).startswith("Call[")
    }
    assert written == set(CASES)


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


def test_reading_pages_ends_at_an_empty_page_whatever_the_total_says(engine, raw_server, access):
    raw_server.replies(page([1, 2], total=900), page([], total=900))
    assert len(engine.ask(access(raw_server.url), api.list_jobs(1))) == 2
    assert [each.target.partition("?")[2] for each in raw_server.received] == [
        "limit=100&offset=0",
        "limit=100&offset=2",
    ]


def test_a_list_without_pages_is_complete(engine, raw_server, access):
    raw_server.reply = page([1, 2])
    assert len(engine.ask(access(raw_server.url), api.list_jobs(1))) == 2


def test_rows_that_are_null_are_none(engine, raw_server, access):
    raw_server.reply = answer(envelope(None, total=0))
    assert engine.ask(access(raw_server.url), api.list_jobs(1)) == []
    raw_server.reply = answer(envelope(None))
    assert engine.ask(access(raw_server.url), api.list_artifacts(1, 2)) == []


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
    ],
    ids=json.dumps,
)
def test_a_list_of_the_wrong_shape_is_malformed(body, engine, raw_server, access):
    raw_server.reply = answer(body)
    with pytest.raises(MalformedResponse, match="dbt Cloud"):
        engine.ask(access(raw_server.url), api.list_jobs(1))


@pytest.mark.parametrize(
    "run",
    [{"status": 1}, {"id": 1}, "text", None, {"id": 1, "status": 1, "run_steps": [{"name": "no index"}]}],
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
    sent = api.wire_query(query)
    assert set(sent) == {name for name, value in query.items() if value is not None}
    for name, text in sent.items():
        assert isinstance(text, str)
        if isinstance(query[name], list):
            assert json.loads(text) == [
                each if isinstance(each, int | str) else str(each) for each in query[name]
            ]


@given(st.dictionaries(st.text(min_size=1), values, max_size=4))
def test_a_query_is_read_back_as_it_was_meant(query):
    sent = api.wire_query(query)
    target = urlsplit("http://x" + Request("GET", "/a/", sent).target)
    assert dict(parse_qsl(target.query, keep_blank_values=True)) == sent
