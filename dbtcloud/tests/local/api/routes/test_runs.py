"""Lists of runs, and their filters."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dbtcloud.local.model.run_plan import Outcome
from dbtcloud.local.server.in_thread import LocalDbtCloud


@pytest.fixture
def runs(api):
    """Six runs of two jobs, a minute apart: three that ended, each its own way, then 3, 2 and 1."""
    other = api.job(environment_id=2, name="Other")
    lives = [
        {"outcome": 10}, {"outcome": 20}, {"outcome": 30},
        {"running": 999}, {"starting": 999}, {"queued": 999},
    ]  # fmt: skip
    seeds = [
        {"job_id": 1 if place % 2 else other, "age": 600 - 60 * place, "pretend": life}
        for place, life in enumerate(lives)
    ]
    return api.control.seed(runs=seeds)["runs"]


def ids(api, **params):
    return [run["id"] for run in api.get("runs/", **params)]


def test_they_come_in_the_order_of_their_ids(api, runs):
    assert ids(api) == runs
    assert ids(api, order_by="-id") == ids(api, order_by="-created_at") == runs[::-1]


def test_those_that_have_not_ended_sort_as_the_last_to_end(api, runs):
    assert ids(api, order_by="finished_at")[:3] == runs[:3]
    assert ids(api, order_by="-finished_at")[3:] == runs[:3][::-1]
    assert ids(api, order_by="-finished_at", status__in="[10,20,30]") == runs[:3][::-1]


@pytest.mark.parametrize(("place", "status"), list(enumerate([10, 20, 30, 3, 2, 1])))
def test_one_status_is_asked_for(api, runs, place, status):
    assert ids(api, status=status) == [runs[place]]


def test_several_statuses_are_asked_for(api, runs):
    assert ids(api, status__in="[1,2,3]") == runs[3:]
    assert ids(api, status__in="[10, 20]") == runs[:2]
    assert ids(api, status__in="[7]") == ids(api, status__in="[]") == []


def test_they_are_asked_for_by_id(api, runs):
    assert ids(api, pk=runs[2]) == [runs[2]]
    assert ids(api, pk__in=json.dumps([runs[4], 12, runs[0]])) == [runs[0], runs[4]]
    assert ids(api, id__gt=runs[3]) == runs[4:]
    assert ids(api, id__gt=runs[0], status__in="[10,20,30]") == runs[1:3]


def test_they_are_asked_for_by_what_they_belong_to(api, runs):
    assert ids(api, job_definition_id=1) == runs[1::2]
    assert ids(api, environment_id=2) == runs[::2]
    assert ids(api, project_id=1) == ids(api, project_id__in="[1,2]") == runs
    assert ids(api, project_id=2) == ids(api, state="deleted") == []


def test_they_are_asked_for_by_time(api, runs):
    created = [run["created_at"] for run in api.get("runs/")]
    window = json.dumps([created[1], created[2]])
    assert ids(api, created_at__range=window) == runs[1:3]
    assert ids(api, finished_at__range=window) == runs[1:3]
    assert ids(api, finished_at__range=json.dumps([created[3], "2999-01-01T00:00:00"])) == []


def test_pages_and_totals_agree(api, runs):
    answer = api.ask("runs/?limit=2&offset=4&status__in=[1,2,3,10,20,30]").json()
    assert [run["id"] for run in answer["data"]] == runs[4:]
    assert answer["extra"]["pagination"] == {"count": 2, "total_count": 6}
    assert answer["extra"]["order_by"] == "id"
    assert answer["extra"]["filters"] == {
        "limit": 2,
        "offset": 4,
        "state": "all",
        "account_id": 1,
        "status__in": [1, 2, 3, 10, 20, 30],
    }


def test_beyond_the_end_is_an_empty_page(api, runs):
    answer = api.ask("runs/?offset=100").json()
    assert (answer["data"], answer["extra"]["pagination"]) == ([], {"count": 0, "total_count": 6})


def test_a_page_is_a_hundred_runs_unless_less_is_asked_for(api):
    api.control.seed(runs=[{"count": 150}])
    assert len(ids(api)) == 100
    assert len(ids(api, offset=100)) == 50


def test_triggers_come_with_the_list(api):
    run = api.start(api.job(), cause="Mine [af:x]")
    assert (
        api.get("runs/", include_related='["trigger"]', job_definition_id=run["job_id"])[0]["trigger"][
            "cause"
        ]
        == "Mine [af:x]"
    )


def test_a_run_brings_its_environment_and_that_ones_connection(api):
    run = api.start(api.job(environment_id=2))["id"]
    environment = api.get(f"runs/{run}/", include_related="environment")["environment"]
    assert (environment["name"], environment["project"]["connection"]["type"]) == ("Staging", "duckdb")


def test_a_step_is_read_by_its_own_id(api):
    run = api.start(api.job())["id"]
    api.control.advance(30)
    first, second = api.get(f"runs/{run}/", include_related="run_steps")["run_steps"]
    assert api.get(f"steps/{second['id']}/")["name"] == "Invoke dbt with `dbt build`"
    assert (
        first["debug_logs"],
        api.get(f"steps/{first['id']}/", include_related="debug_logs")["debug_logs"],
    ) == (
        None,
        "cloned",
    )
    assert api.ask(f"steps/{second['id'] + 1}/").status_code == 404


def test_a_run_leads_to_its_page(api):
    run = api.start(api.job())
    assert run["href"] == f"{api.server.url}/deploy/1/projects/1/runs/{run['id']}/"


def test_ids_are_beyond_32_bits(api):
    assert api.start(api.job())["id"] > 2**32


def test_they_are_asked_for_by_version_and_by_what_they_generated(api):
    plain, other = api.job({"outcome": 10}), api.job({"outcome": 10}, dbt_version="1.10.0")
    documented = api.job({"outcome": 10}, generate_docs=True, run_generate_sources=True)
    runs = [
        api.start(plain),
        api.start(other),
        api.start(plain, dbt_version_override="1.9.0"),
        api.start(documented),
    ]
    first, second, third, fourth = (run["id"] for run in runs)
    assert [run["dbt_version"] for run in runs] == ["latest", "1.10.0", "1.9.0", "latest"]
    assert ids(api, dbt_version="1.10.0") == [second]
    assert ids(api, dbt_version__in='["1.9.0","1.10.0"]') == [second, third]
    for name in ("has_docs_generated", "has_sources_generated"):
        assert ids(api, **{name: "true"}) == [fourth]
        assert ids(api, **{name: "false"}) == [first, second, third]
        assert api.get(f"runs/{fourth}/")[name] is True
    assert ids(api, deferring_run_id=first) == []


def test_a_run_that_failed_has_generated_nothing(api):
    api.start(api.job({"outcome": 20}, generate_docs=True))
    api.start(api.job({"running": 60}, generate_docs=True))
    assert ids(api, has_docs_generated="true") == []
    assert len(ids(api, has_docs_generated="false")) == 2


def test_a_run_includes_its_audit_and_its_retries(api, failed_script):
    failed = api.start(api.job(failed_script))["id"]
    again = api.post(f"runs/{failed}/retry/")["id"]
    shown = api.get(f"runs/{failed}/", include_related="audit,run_retries,repository")
    assert shown["audit"]["trigger"]["actor"]["type"] == "service_token"
    assert shown["audit"]["cancellation"] is None
    assert [run["id"] for run in shown["run_retries"]] == [again]
    assert shown["repository"] is None
    assert "audit" not in api.get(f"runs/{failed}/")


def test_fifty_queued_runs_wait_for_one_another_and_are_cancelled(client_of, eventually):
    async def wait(plan, observer, cancelled):
        observer.starting(), observer.running()
        await cancelled.wait()
        return Outcome(30, "Cancelled by user.")

    with LocalDbtCloud(execute=wait) as server:
        client = client_of(server)
        with ThreadPoolExecutor(10) as several:
            runs = sorted(run["id"] for run in several.map(lambda _: client.start(1), range(51)))
        eventually(lambda: client.get(f"runs/{runs[0]}/")["status"] == 3)
        page = client.get("runs/", status=1)
        assert [run["blocked_by"] for run in page] == [[ahead] for ahead in runs[:-1]]
        client.ask("jobs/1/", "DELETE")
        eventually(lambda: len(client.get("runs/", status=30)) == 51)


def test_a_page_of_ten_thousand_runs_takes_the_server_fifty_milliseconds_at_most(api):
    api.control.seed(runs=[{"job_id": 1, "count": 10_000, "age": 100_000, "every": 5}])
    for params in (
        {},
        {"order_by": "-id"},
        {"order_by": "-created_at", "job_definition_id": 1},
        {"order_by": "-finished_at", "status__in": "[10,20,30]"},
        {"status__in": "[1,2,3]"},
        {"order_by": "-id", "include_related": "trigger,job,environment"},
        {"offset": 9_900},
    ):
        assert min(seconds_for(api, params) for _ in range(3)) <= 0.05, params


def seconds_for(api, params):
    """What the server's thread works for a list: a loaded machine's clock would tell of other programs."""
    begin = api.control._call(time.thread_time)
    api.get("runs/", **params)
    return api.control._call(time.thread_time) - begin
