"""The body that starts a run."""

import pytest

OVERRIDES = {
    "git_sha": "abc",
    "git_branch": "main",
    "github_pull_request_id": 7,
    "schema_override": "mine",
    "dbt_version_override": "1.10.0",
    "threads_override": 8,
    "target_name_override": "ci",
    "generate_docs_override": True,
    "timeout_seconds_override": 60,
    "steps_override": ["dbt seed", "dbt run"],
}


def test_the_answer_shows_the_run_with_its_trigger_and_job(api):
    run = api.start(api.job(), **OVERRIDES)
    assert run["trigger"].items() >= {"cause": "A test", "cause_category": "api", **OVERRIDES}.items()
    assert run["trigger"]["azure_pull_request_id"] is None
    assert run["trigger_id"] == run["trigger"]["id"]
    assert run["job"]["id"] == run["job_id"] == run["job_definition_id"]
    assert run["job"]["schedule"] == {"cron": "0 * * * *", "date": "every_day", "time": "every_hour"}
    assert (run["status"], run["git_branch"], run["git_sha"], run["dbt_version"]) == (
        1,
        "main",
        "abc",
        "1.10.0",
    )


def test_nulls_are_no_overrides(api):
    run = api.start(api.job(), steps_override=None, threads_override=None)
    assert run["trigger"]["steps_override"] is None


def test_ids_that_the_path_already_holds_may_be_repeated(api):
    job_id = api.job()
    body = {"cause": "A test", "account_id": 1, "job_id": job_id}
    answer = api.ask(f"jobs/{job_id}/run/", "POST", json=body)
    assert answer.status_code == 200


def test_a_form_is_read_as_well_as_json(api):
    body = [
        ("cause", "Form"),
        ("threads_override", "3"),
        ("generate_docs_override", "true"),
        ("steps_override", "a"),
    ]
    trigger = api.ask(f"jobs/{api.job()}/run/", "POST", data=body).json()["data"]["trigger"]
    assert (trigger["threads_override"], trigger["generate_docs_override"], trigger["steps_override"]) == (
        3,
        True,
        ["a"],
    )


def test_a_multipart_form_is_read_as_well(api):
    parts = [("cause", "Ünlaut"), ("threads_override", "3"), ("steps_override", "a"), ("steps_override", "b")]
    files = [(name, (None, value)) for name, value in parts]
    trigger = api.ask(f"jobs/{api.job()}/run/", "POST", files=files).json()["data"]["trigger"]
    assert (trigger["cause"], trigger["threads_override"], trigger["steps_override"]) == (
        "Ünlaut",
        3,
        ["a", "b"],
    )


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_form_that_is_none_is_a_form_without_a_cause(api, content_type):
    answer = api.ask("jobs/1/run/", "POST", data=b"--y\r\n", headers={"Content-Type": content_type})
    assert (answer.status_code, list(answer.json()["data"])) == (400, ["cause"])


def test_a_cause_of_255_characters_is_taken(api):
    assert api.start(api.job(), cause="x" * 255)["trigger"]["cause"] == "x" * 255


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "cause", "required"),
        ({"cause": ""}, "cause", "too short"),
        ({"cause": "x" * 256}, "cause", "too long"),
        ({"cause": 1}, "cause", "not of type 'string'"),
        ({"cause": "x", "schema_override": ""}, "schema_override", "too short"),
        ({"cause": "x", "steps_override": "dbt run"}, "steps_override", "not of type 'array'"),
        ({"cause": "x", "steps_override": [1]}, "steps_override", "not of type 'array'"),
        ({"cause": "x", "threads_override": "4"}, "threads_override", "not of type 'integer'"),
        ({"cause": "x", "threads_override": True}, "threads_override", "not of type 'integer'"),
        ({"cause": "x", "generate_docs_override": 1}, "generate_docs_override", "not of type 'boolean'"),
    ],
)
def test_a_wrong_body_starts_nothing_and_is_named(api, body, field, words):
    answer = api.ask(f"jobs/{api.job()}/run/", "POST", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["data"][field]
    assert api.get("runs/") == []


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"cause": "x", "thread_override": 4}'])
def test_what_is_no_trigger_at_all_is_refused(api, data):
    answer = api.ask(f"jobs/{api.job()}/run/", "POST", data=data)
    assert answer.status_code == 400
    assert isinstance(answer.json()["data"], str)


def test_a_body_that_is_no_text_is_refused(api):
    assert api.ask("jobs/1/run/", "POST", data=b'{"cause": "\xff"}').status_code == 400


def test_more_steps_than_a_run_has_numbers_for_are_refused(api):
    body = {"cause": "x", "steps_override": ["dbt parse"] * 91}
    assert "too long" in api.ask("jobs/1/run/", "POST", json=body).json()["data"]["steps_override"]
