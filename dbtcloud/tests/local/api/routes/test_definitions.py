"""Projects, environments and jobs: creating, changing and deleting them."""

import pytest

PROJECTS = "/api/v3/accounts/1/projects/"
JOB = {
    "account_id": 1,
    "project_id": 1,
    "environment_id": 2,
    "name": "Nightly [[nightly]]",
    "execute_steps": ["dbt seed", "dbt run"],
    "settings": {"threads": 3, "target_name": "night"},
    "execution": {"timeout_seconds": 600},
    "triggers": {"github_webhook": False, "schedule": True, "git_provider_webhook": None},
    "schedule": {
        "date": {"type": "days_of_week", "days": [1, 5]},
        "time": {"type": "at_exact_hours", "hours": [4]},
    },
    "compare_changes_flags": "--select state:new",
    "deferring_environment_id": 1,
    "job_completion_trigger_condition": {"condition": {"job_id": 1, "project_id": 1, "statuses": [10]}},
}


def send(api, path, body=None, method="POST", **kwargs):
    answer = api.ask(path, method, json=body, **kwargs)
    return answer.status_code, answer.json().get("data")


def test_a_job_is_created_as_it_is_asked_for(api):
    code, made = send(api, "jobs/", JOB)
    assert code == 201
    assert made == api.get(f"jobs/{made['id']}/")
    same = ("name", "environment_id", "execute_steps", "settings", "execution", "compare_changes_flags",
            "deferring_environment_id", "job_completion_trigger_condition")  # fmt: skip
    assert {name: made[name] for name in same} == {name: JOB[name] for name in same}
    assert (made["job_type"], made["state"], made["schedule"]["cron"]) == ("scheduled", 1, "0 4 * * 1,5")
    assert api.start(made["id"])["job"]["schedule"]["date"] == "days_of_week"


def test_a_job_takes_no_more_than_its_name_and_place(api):
    _, made = send(api, "jobs", {"name": "Bare", "project_id": 1, "environment_id": 1})
    assert (made["execute_steps"], made["settings"]) == (
        ["dbt build"],
        {"threads": 1, "target_name": "default"},
    )
    assert (made["job_type"], made["triggers"]["schedule"]) == ("other", False)


def test_a_job_is_cloned_by_what_was_read(api):
    original = api.get("jobs/1/")
    code, clone = send(api, "jobs/", {**original, "id": None, "name": "Clone"})
    assert code == 201
    assert clone["id"] != 1
    assert clone["execute_steps"] == original["execute_steps"]


def test_a_change_keeps_what_it_does_not_name(api):
    _, made = send(api, "jobs/", JOB)
    code, changed = send(
        api, f"jobs/{made['id']}/", {"id": made["id"], "name": "Renamed", "deferring_environment_id": None}
    )
    assert code == 200
    assert changed["updated_at"] > made["updated_at"]
    differing = {name for name in made if made[name] != changed[name]}
    assert differing == {"name", "deferring_environment_id", "updated_at"}


def test_a_deleted_job_is_gone_and_its_runs_are_cancelled(api):
    job = api.job()
    going = api.start(job)["id"]
    code, gone = send(api, f"jobs/{job}/", method="DELETE")
    assert (code, gone["state"]) == (200, 2)
    assert (
        api.ask(f"jobs/{job}/").status_code
        == api.ask(f"jobs/{job}/run/", "POST", json={"cause": "x"}).status_code
        == 404
    )
    assert job not in [each["id"] for each in api.get("jobs/")]
    assert [each["id"] for each in api.get("jobs/", state="deleted")] == [job]
    assert api.get(f"runs/{going}/")["status"] == 30


def test_a_run_of_a_deleted_job_is_there_and_is_not_retried(api, failed_script):
    job = api.job(failed_script)
    failed = api.start(job)["id"]
    send(api, f"jobs/{job}/", method="DELETE")
    assert api.get(f"runs/{failed}/", include_related="job")["job"]["state"] == 2
    assert api.ask(f"runs/{failed}/retry/", "POST").status_code == 404
    assert api.ask(f"jobs/{job}/rerun/", "POST").status_code == 404


def test_a_state_of_2_deletes_as_well(api):
    assert send(api, "jobs/1/", {"state": 2})[1]["state"] == 2
    assert api.ask("jobs/1/").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"project_id": "1"}, "project_id"),
        ({"environment_id": 2**70}, "environment_id"),
        ({"execute_steps": ["dbt run", 1]}, "execute_steps"),
        ({"settings": {"threads": "many"}}, "threads"),
        ({"settings": []}, "settings"),
        ({"schedule": {"date": {"type": "sometimes"}}}, "date"),
        ({"schedule": {"date": 1}}, "date"),
        ({"job_type": "hourly"}, "job_type"),
        ({"account_id": 2}, "account_id"),
    ],
)
def test_a_job_that_cannot_be_is_refused_by_field(api, body, field):
    code, data = send(api, "jobs/", {**JOB, **body})
    assert (code, list(data)) == (400, [field])
    assert len(api.get("jobs/")) == 6


def test_a_job_in_an_environment_that_is_not_its_projects_is_refused(api):
    api.control.seed(projects=[{"id": 5, "name": "Other"}])
    assert send(api, "jobs/", {**JOB, "project_id": 5})[0] == 404
    assert send(api, "jobs/", {**JOB, "environment_id": 99})[0] == 404


def test_a_description_beyond_255_characters_fails_as_it_does_in_dbt_cloud(api):
    assert send(api, "jobs/", {**JOB, "description": "x" * 255})[0] == 201
    assert send(api, "jobs/", {**JOB, "description": "x" * 256})[0] == 500


def test_a_form_creates_a_job_too(api):
    form = {"name": "By form", "project_id": "1", "environment_id": "1", "generate_docs": "true",
            "settings": '{"threads": 2, "target_name": "t"}', "execute_steps": "dbt run"}  # fmt: skip
    made = api.ask("jobs/", "POST", data=form).json()["data"]
    assert (made["generate_docs"], made["settings"]["threads"], made["execute_steps"]) == (
        True,
        2,
        ["dbt run"],
    )


def test_jobs_are_filtered_by_schedule_version_and_kind(api):
    scheduled = send(api, "jobs/", {**JOB, "dbt_version": "1.10.0"})[1]["id"]

    def ids(**params):
        return [job["id"] for job in api.get("jobs/", **params)]

    assert ids(triggers_schedule="true") == ids(dbt_version__in='["1.10.0","1.9"]') == [scheduled]
    assert scheduled not in ids(triggers_schedule="false")
    assert ids(is_system="true") == ids(is_fusion_ready="true") == []
    assert len(ids(is_fusion_ready="false")) == 7


@pytest.mark.parametrize("path", [PROJECTS, "projects/"])
def test_a_project_lives(api, path):
    code, made = send(api, path, {"name": "Shop", "type": 0, "state": 1, "account_id": 1, "docs_job_id": 1})
    assert (code, made["name"], made["docs_job_id"]) == (201, "Shop", 1)
    place = f"{path}{made['id']}"
    assert send(api, place, {"name": "Store", "description": "All of it."})[1]["description"] == "All of it."
    assert api.get(place)["name"] == "Store"
    assert [each["id"] for each in api.get(path, pk__gt=1)] == [made["id"]]
    assert send(api, place, method="DELETE")[1]["state"] == 2
    assert api.ask(place).status_code == 404


def test_a_project_takes_its_environments_and_jobs_along(api):
    send(api, f"{PROJECTS}1/", method="DELETE")
    assert api.get("jobs/") == api.get("environments/") == []
    assert api.ask("jobs/6/").status_code == 404


ENVIRONMENT = {"name": "CI", "type": "deployment", "dbt_version": "1.11.0", "deployment_type": "staging",
               "use_custom_branch": True, "custom_branch": "main", "project_id": 1, "credentials_id": 7,
}  # fmt: skip


@pytest.mark.parametrize(
    "path", [f"{PROJECTS}1/environments/", "/api/v3/accounts/1/environments/", "environments/"]
)
def test_an_environment_lives(api, path):
    code, made = send(api, path, ENVIRONMENT)
    assert code == 201
    assert made.items() >= ENVIRONMENT.items()
    place = f"{path}{made['id']}/"
    changed = send(api, place, {"name": "CI 2", "deployment_type": None})[1]
    assert (changed["name"], changed["deployment_type"], changed["custom_branch"]) == ("CI 2", None, "main")
    job = send(api, "jobs/", {"name": "In it", "project_id": 1, "environment_id": made["id"]})[1]["id"]
    assert send(api, place, method="DELETE")[1]["state"] == 2
    assert api.ask(place).status_code == api.ask(f"jobs/{job}/").status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, 400), ({"name": "x", "type": "dev"}, 400), ({"name": "x", "account_id": 3}, 400), ([], 400)],
)
def test_a_wrong_environment_is_refused(api, body, code):
    assert send(api, f"{PROJECTS}1/environments/", body)[0] == code
    assert send(api, "environments/", {"name": "Nowhere"})[0] == 400
    assert send(api, "environments/", {"name": "Nowhere", "project_id": 9})[0] == 404


def test_environments_are_filtered(api):
    made = send(api, f"{PROJECTS}1/environments/", ENVIRONMENT)[1]["id"]

    def ids(**params):
        return [each["id"] for each in api.get(f"{PROJECTS}1/environments/", **params)]

    assert ids(dbt_version="1.11.0") == ids(dbt_version__in='["1.11.0"]') == ids(credentials_id=7) == [made]
    assert ids(deployment_type="production") == [1]
    assert ids(deployment_type__in='["staging","production"]') == [1, 2, made]
    assert ids(type="development") == []
    assert ids(id__gt=2) == [made]


@pytest.mark.parametrize(
    "body",
    [
        {"state": 7},
        {"execution": {"timeout_seconds": -5}},
        {"settings": {"threads": 0}},
        {"schedule": {"date": {"type": "days_of_week", "days": [9]}, "time": {"type": "every_hour"}}},
        {"schedule": {"date": {"type": "every_day"}, "time": {"type": "at_exact_hours", "hours": [77]}}},
        {"schedule": {"date": {"type": "every_day"}, "time": {"type": "every_hour", "interval": 0}}},
        {"schedule": {"date": {"type": "custom_cron", "cron": "every other tuesday"}}},
        {"schedule": {"cron": "61 * * * *"}},
    ],
    ids=str,
)
def test_a_number_that_means_nothing_is_refused(api, body):
    assert api.ask("jobs/1/", "POST", json=body).status_code == 400


@pytest.mark.parametrize("override", [{"timeout_seconds_override": -1}, {"threads_override": 0}], ids=str)
def test_an_override_that_means_nothing_is_refused(api, override):
    assert api.ask("jobs/1/run/", "POST", json={"cause": "x", **override}).status_code == 400


def test_whoami_returns_the_user_of_the_token(api):
    assert {"id", "email"} <= api.get("/api/v2/whoami/")["user"].keys()
    assert api.ask("/api/v2/whoami").status_code == 200
    api.session.headers["Authorization"] = "Token wrong"
    assert api.ask("/api/v2/whoami/").status_code == 401
