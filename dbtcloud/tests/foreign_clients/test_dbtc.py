"""dbtc 0.11.7 works against the local dbt Cloud."""

import json
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.contract,
    pytest.mark.extensive,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        sys.version_info >= (3, 13), reason="dbtc takes a pandas that Python 3.13 has no wheel of"
    ),
]


@pytest.fixture
def dbtc(client, server):
    return client(
        "dbtc",
        DBT_CLOUD_HOST=f"localhost:{server.url.rpartition(':')[2]}",
        DBT_CLOUD_SERVICE_TOKEN=server.token,
        DBT_CLOUD_ACCOUNT_ID="1",
    )


@pytest.fixture
def told(dbtc):
    """Gives what dbtc returned in one part of `dbtc_user.py`."""
    return lambda part: json.loads(dbtc.run("python", Path(__file__).with_name("dbtc_user.py"), part))


def test_runs_are_triggered_polled_retried_and_cancelled(told, refused):
    runs = told("runs")

    run = runs["run"]
    assert (run["status"], run["trigger"]["cause"], run["job"]["name"]) == (10, "By contract", "Short")
    assert [step["name"] for step in run["run_steps"]] == ["Invoke dbt with `dbt build`"]
    assert runs["artifacts"] == ["catalog.json", "manifest.json", "run_results.json"]
    assert runs["results"]["results"][0]["unique_id"] == "model.shop.orders"
    assert "model.shop.orders" in runs["manifest"]["nodes"]
    assert (runs["cancelled"]["status"], runs["failed"]["status"]) == (30, 20)
    assert (runs["again"]["retrying_run_id"], runs["again"]["status"]) == (runs["failed"]["id"], 20)
    assert refused() == []


def test_lists_are_filtered_and_ordered(told, server, refused):
    first, second = server.control.seed(runs=[{"job_id": 70, "age": 60, "count": 2}])["runs"]

    lists = told("lists")
    assert [job["name"] for job in lists["jobs"]] == ["Staging build"]
    assert [run["id"] for run in lists["runs"]] == [second, first]
    assert lists["pagination"] == {"count": 2, "total_count": 2}
    assert lists["latest"]["id"] == second
    assert lists["project"]["name"] == "Sample bakery"
    assert [environment["name"] for environment in lists["environments"]] == ["Production"]
    assert refused() == []


def test_a_job_is_created_changed_and_deleted(told):
    jobs = told("jobs")

    assert jobs["made"]["id"] == jobs["changed"]["id"]
    assert (jobs["made"]["name"], jobs["changed"]["name"], jobs["gone"]) == ("Made", "Changed", 404)


def test_discovery_is_queried(told, server):
    server.control.seed(runs=[{"job_id": 70, "age": 60}])

    pages = [page["data"]["environment"]["applied"]["models"] for page in told("models")]
    assert [page["edges"] for page in pages] == [[{"node": {"uniqueId": "model.shop.orders"}}]]


def test_its_command_triggers_a_job_and_polls(dbtc):
    trigger = ("jobs", "trigger", "--job-id", "70", "--payload", '{"cause": "By command"}')

    printed = dbtc.run("dbtc", *trigger, "--poll-interval", "1")
    assert json.loads(printed)["data"]["is_success"]
