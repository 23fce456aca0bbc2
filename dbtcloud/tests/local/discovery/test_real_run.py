"""Discovery over what real dbt left behind: the sample's own jobs, of which each is run once."""

import time

import pytest
import requests

from dbtcloud.local.server.in_thread import LocalDbtCloud

pytestmark = pytest.mark.dbt

DAILY, FAILING = 1, 4


@pytest.fixture(scope="module")
def bakery():
    with LocalDbtCloud() as server:
        yield server


@pytest.fixture(scope="module")
def ran(bakery):
    """The ids of a daily build, and of a failing build after it."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Token {bakery.token}"
        api = f"{bakery.url}/api/v2/accounts/1"
        starts = [
            session.post(f"{api}/jobs/{job}/run/", json={"cause": "A test"}) for job in (DAILY, FAILING)
        ]
        ids = [start.json()["data"]["id"] for start in starts]
        deadline = time.monotonic() + 120
        while not session.get(f"{api}/runs/{ids[-1]}/").json()["data"]["is_complete"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    return ids


@pytest.fixture
def ask(bakery, ran, client_of):
    client = client_of(bakery)

    def ask(query, **variables):
        told = client.ask("/graphql", "POST", json={"query": query, "variables": variables}).json()
        assert "errors" not in told, told
        return told["data"]

    return ask


def test_the_models_of_the_project_are_there_with_their_tables_and_tests(ask, ran):
    fields = """
      name database schema alias materializedType compiledCode rawCode
      catalog { type columns { name type } }
      tests { name columnName testType executionInfo { lastRunStatus } }
      ancestors(types: [Model, Seed]) { name resourceType }
      executionInfo { lastRunId lastRunStatus lastSuccessRunId executionTime executeCompletedAt }
    """
    page = f'models(filter: {{identifier: "daily_takings"}}) {{ edges {{ node {{ {fields} }} }} }}'
    asked = f"{{ environment(id: 1) {{ applied {{ {page} }} }} }}"
    (edge,) = ask(asked)["environment"]["applied"]["models"]["edges"]
    node = edge["node"]
    assert (node["schema"], node["alias"]) == ("prod", "daily_takings")
    assert "{{" in node["rawCode"]
    assert "{{" not in node["compiledCode"]
    assert {column["type"] for column in node["catalog"]["columns"]} >= {"DATE"}
    assert node["tests"]
    assert {test["executionInfo"]["lastRunStatus"] for test in node["tests"]} == {"pass"}
    assert {"sales", "products", "stg_sales"} <= {ancestor["name"] for ancestor in node["ancestors"]}
    execution = node["executionInfo"]
    assert (execution["lastRunStatus"], execution["executionTime"] > 0) == ("success", True)
    assert execution["executeCompletedAt"].endswith("Z")


def test_what_the_failing_build_broke_is_told_with_its_message(ask, ran):
    _, failed = ran
    asked = """
      { environment(id: 1) { applied {
        models(filter: {lastRunStatus: error}) {
          edges { node { name executionInfo { lastRunId lastRunError lastSuccessRunId } } }
        }
        tests(filter: {status: "fail"}) { totalCount }
      } } }
    """
    applied = ask(asked)["environment"]["applied"]
    broken = [edge["node"] for edge in applied["models"]["edges"]]
    assert broken
    assert all(node["executionInfo"]["lastRunError"] for node in broken)
    assert {
        (node["executionInfo"]["lastRunId"], node["executionInfo"]["lastSuccessRunId"]) for node in broken
    } == {(failed, None)}
    assert applied["tests"]["totalCount"] > 0


def test_each_run_of_a_job_is_told_by_itself(ask, ran):
    daily, failed = ran
    asked = """
      query ($job: BigInt!, $run: BigInt) { job(id: $job, runId: $run) {
        runId models { name status executionTime } tests { name status } seeds { name status }
      } }
    """
    built = ask(asked, job=DAILY, run=daily)["job"]
    statuses = {model["name"]: model["status"] for model in built["models"]}
    assert statuses["daily_takings"] == "success"
    assert {seed["status"] for seed in built["seeds"]} == {"success"}
    broken = ask(asked, job=FAILING)["job"]
    assert broken["runId"] == failed
    assert {"error", "skipped"} <= {model["status"] for model in broken["models"]}
