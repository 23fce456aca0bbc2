"""apache-airflow-providers-dbt-cloud 4.11.1, which the server was not made for, works against it."""

import json

import pytest

# The first test makes the environment, which a machine with an empty cache downloads.
pytestmark = [pytest.mark.contract, pytest.mark.extensive, pytest.mark.dbt, pytest.mark.timeout(900)]


def test_a_run_waited_for_on_the_worker_succeeds_and_gives_its_artifact(story):
    outcome = story.outcomes["waits_on_the_worker"]

    assert outcome["tasks"] == {"run": "success", "fetch": "success"}
    manifest = json.loads((story.folder / "manifest.json").read_text())
    assert {node["schema"] for node in manifest["nodes"].values() if node["resource_type"] == "model"} == {
        "trial"
    }
    run = story.runs[outcome["returned"]["run"]]
    assert run["trigger"]["cause"] == "By contract"
    assert run["is_success"]
    assert outcome["urls"]["run"] == run["href"]


def test_a_job_found_by_names_is_waited_for_by_its_trigger(story):
    outcome = story.outcomes["waits_deferred_by_names"]

    assert outcome["state"] == "success"
    run = story.runs[outcome["returned"]["run"]]
    assert (run["job_definition_id"], run["environment_id"], run["status"]) == (6, 2, 10)
    assert "running trigger in line" in story.log_of("waits_deferred_by_names.run")


def test_failed_runs_fail_their_tasks_in_both_ways_of_waiting(story):
    assert story.outcomes["fails"]["tasks"] == {"on_the_worker": "failed", "deferred": "failed"}
    assert "DbtCloudJobRunException: Job run" in story.log_of("fails.on_the_worker")
    assert "running trigger in line" in story.log_of("fails.deferred")


def test_a_retry_goes_on_where_the_failed_run_ended(story):
    assert story.outcomes["retries"]["tasks"] == {"first": "failed", "second": "success"}
    first, second = [run for run in story.runs.values() if run["job_definition_id"] == 3]
    assert (first["status"], second["status"]) == (20, 10)
    assert second["retrying_run_id"] == first["id"]


def test_sensors_see_the_end_of_a_run_that_another_task_started(story):
    assert story.outcomes["senses"]["tasks"] == {
        "start": "success",
        "poking": "success",
        "deferred": "success",
    }


def test_a_cancelled_run_ends_cancelled(story):
    assert story.outcomes["cancels"]["returned"] == {"cancelled": 30}


def test_jobs_and_runs_are_listed_in_the_order_asked_for(story):
    returned = story.outcomes["lists"]["returned"]

    assert returned["jobs"] == [72, 71, 70, 6, 5, 4, 3, 2, 1]
    assert [run["id"] for run in returned["all_runs"]] == sorted(story.runs)
    assert returned["latest"]["job_definition_id"] == 70


def test_the_server_refused_nothing_that_this_client_asked(story):
    assert {request["status"] for request in story.requests} == {200}
