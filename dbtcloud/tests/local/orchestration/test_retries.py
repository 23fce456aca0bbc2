"""The retry of a failed run."""

import pytest

FAILED = {
    "outcome": 20,
    "steps": [{"name": "Invoke dbt with `dbt build`", "outcome": 20, "command": "dbt build"}],
    "artifacts": {"run_results.json": {"results": []}},
}


@pytest.fixture
def failed(api):
    job = api.job(FAILED, execute_steps=["dbt build", "dbt run-operation clean"])
    return api.start(job, git_branch="main")


def test_the_newest_failed_run_can_be_retried(api, failed):
    assert (failed["can_retry"], failed["retry_not_supported_reason"]) == (True, None)


def test_a_retry_is_a_new_run_that_names_the_old_one(api, failed):
    retry = api.post(f"runs/{failed['id']}/retry/")
    assert retry["id"] > failed["id"]
    assert retry["retrying_run_id"] == failed["id"]
    assert retry["trigger"]["git_branch"] == "main"
    assert retry["trigger"]["cause"] == f"Rerun of run {failed['id']} from its failure"
    assert retry["trigger"]["cause_category"] == "rerun"


def test_the_failed_step_and_the_skipped_commands_are_shown(api, failed):
    assert api.get(f"runs/{failed['id']}/retry/") == {
        "failed_step": "Invoke dbt with `dbt build`",
        "skipped_steps": ["dbt run-operation clean"],
    }


def test_only_the_newest_run_of_a_job_can_be_retried(api, failed):
    api.start(failed["job_id"])
    assert reason(api, failed["id"]) == "RETRY_NOT_LATEST_RUN"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({"outcome": 10}, "RETRY_NOT_FAILED_RUN"),
        ({"outcome": 30}, "RETRY_NOT_FAILED_RUN"),
        ({"running": 60, "outcome": 20}, "RETRY_NOT_FAILED_RUN"),
        ({"outcome": 20}, "RETRY_NO_RUN_RESULTS"),
        (
            {**FAILED, "steps": [{"name": "Deps", "outcome": 20, "command": "dbt deps"}]},
            "RETRY_UNSUPPORTED_CMD",
        ),
    ],
)
def test_the_reason_why_a_run_cannot_be_retried_is_shown(api, script, expected):
    run = api.start(api.job(script))
    assert reason(api, run["id"]) == run["retry_not_supported_reason"] == expected


def reason(api, run):
    answer = api.ask(f"runs/{run}/retry/", "POST")
    assert answer.status_code == 400
    return answer.json()["data"]["reason"]


def test_a_rerun_of_a_failed_job_retries_its_run(api, failed):
    assert api.post(f"jobs/{failed['job_id']}/rerun/")["retrying_run_id"] == failed["id"]


def test_a_rerun_of_a_successful_job_starts_a_new_run(api):
    job = api.job({"outcome": 10})
    assert api.post(f"jobs/{job}/rerun/")["retrying_run_id"] is None
    assert api.post(f"jobs/{job}/rerun/")["trigger"]["cause_category"] == "rerun"
    assert len(api.get("runs/", job_definition_id=job)) == 2


def scripted(*steps):
    named = [
        {"name": f"Invoke dbt with `{command}`", "outcome": end, "command": command} for command, end in steps
    ]
    return {**FAILED, "steps": named}


def test_a_failed_retry_can_be_retried(api, failed):
    job = {"id": failed["job_id"], "name": "Shop", "execute_steps": ["dbt build", "dbt run-operation clean"]}
    api.control.seed(jobs=[{**job, "pretend": scripted(("dbt retry", 20))}])
    second = api.post(f"runs/{failed['id']}/retry/")
    assert (second["can_retry"], second["retry_not_supported_reason"]) == (True, None)
    assert api.get(f"runs/{second['id']}/retry/") == {
        "failed_step": "Invoke dbt with `dbt retry`",
        "skipped_steps": ["dbt run-operation clean"],
    }
    third = api.post(f"runs/{second['id']}/retry/")
    assert third["retrying_run_id"] == second["id"]
    assert third["can_retry"]


def test_a_failed_step_that_does_not_fail_the_run_is_not_the_failed_step(api):
    script = scripted(("dbt source freshness", 20), ("dbt build", 20))
    run = api.start(api.job(script, execute_steps=["dbt build", "dbt test"]))
    assert api.get(f"runs/{run['id']}/retry/") == {
        "failed_step": "Invoke dbt with `dbt build`",
        "skipped_steps": ["dbt test"],
    }


@pytest.mark.parametrize("command", ["dbt source freshness -s run", "dbt --debug deps", "dbt ls"])
def test_a_command_is_recognised_by_its_subcommand(api, command):
    run = api.start(api.job(scripted((command, 20))))
    assert run["retry_not_supported_reason"] == "RETRY_UNSUPPORTED_CMD"
