"""Environment variables: their values by scope, over the API, in bulk, and in dbt's own process."""

import pytest

from dbtcloud.local.model.run_plan import Outcome
from dbtcloud.local.server.in_thread import LocalDbtCloud

VARIABLES = "/api/v3/accounts/1/projects/1/environment-variables/"


def put(api, value="rye", **fields):
    flour = {"account_id": 1, "project_id": 1, "name": "DBT_FLOUR", "type": "project", "raw_value": value}
    return api.ask(VARIABLES, "POST", json={**flour, **fields})


def made(api, **fields):
    answer = put(api, **fields)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


@pytest.fixture
def flour(api):
    """A variable with a value for the project, the second environment, and job 1."""
    return [
        made(api)["id"],
        made(api, value="wheat", type="environment", environment_id=2)["id"],
        made(api, value="oat", type="job", job_definition_id=1)["id"],
    ]


def test_the_table_of_a_project_shows_each_environment(api, flour):
    assert api.get(f"{VARIABLES}environment/") == {
        "environments": ["project", "Production", "Staging"],
        "variables": {
            "DBT_FLOUR": {
                "project": {"id": flour[0], "value": "rye"},
                "Staging": {"id": flour[1], "value": "wheat"},
            }
        },
    }


def test_the_table_of_a_job_shows_what_concerns_it(api, flour):
    project, environment, job = (
        {"id": id_, "value": value} for id_, value in zip(flour, ("rye", "wheat", "oat"), strict=True)
    )
    path = f"{VARIABLES}job/"
    assert api.get(path, job_definition_id=1) == {"DBT_FLOUR": {"project": project, "job": job}}
    assert api.get(path, job_definition_id=6) == {
        "DBT_FLOUR": {"project": project, "environment": environment}
    }
    assert api.get(path) == {"DBT_FLOUR": {"project": project}}
    assert api.ask(f"{path}?job_definition_id=99").status_code == 404


def test_the_table_of_a_user_shows_the_users_own(api, flour):
    own = made(api, value="spelt", type="user", user_id=7)["id"]
    mine = api.get(f"{VARIABLES}user/", user_id=7)["DBT_FLOUR"]
    assert mine == {"project": {"id": flour[0], "value": "rye"}, "user": {"id": own, "value": "spelt"}}
    assert list(api.get(f"{VARIABLES}user/")["DBT_FLOUR"]) == ["project"]


def test_a_value_is_changed_and_deleted(api, flour):
    changed = api.ask(f"{VARIABLES}{flour[2]}/", "POST", json={"raw_value": "corn"}).json()["data"]
    assert (changed["display_value"], changed["type"], changed["job_definition_id"]) == ("corn", "job", 1)
    assert api.ask(f"{VARIABLES}{flour[2]}", "DELETE").json()["data"]["state"] == 2
    assert "job" not in api.get(f"{VARIABLES}job/", job_definition_id=1)["DBT_FLOUR"]
    assert api.ask(f"{VARIABLES}{flour[2]}/", "DELETE").status_code == 404


def test_a_secret_is_never_shown(api):
    shown = made(api, name="DBT_ENV_SECRET_TOKEN", value="hush")
    assert shown["display_value"] == "**********"
    assert "hush" not in api.ask(f"{VARIABLES}environment/").text


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"name": "FLOUR"}, 400, "name"),
        ({"name": "DBT_flour"}, 400, "name"),
        ({"value": "a\0b"}, 400, "raw_value"),
        ({"type": "country"}, 400, "type"),
        ({"type": "job"}, 400, "job_definition_id"),
        ({"type": "job", "job_definition_id": 99}, 404, None),
        ({"type": "environment", "environment_id": 99}, 404, None),
    ],
)
def test_what_cannot_be_a_variable_is_refused(api, fields, code, field):
    answer = put(api, **fields)
    assert answer.status_code == code
    assert field is None or field in answer.json()["data"]
    assert api.get(f"{VARIABLES}environment/")["variables"] == {}


def test_a_scope_has_one_value(api, flour):
    assert put(api).status_code == put(api, type="job", job_definition_id=1).status_code == 400


def test_variables_come_in_bulk(api):
    bulk = f"{VARIABLES}bulk/"
    body = {"env_var": [{"new_name": "DBT_SALT", "project": "sea", "Staging": "rock", "Moon": "none"}]}
    data = api.post(bulk, **body)[0]["data"]
    assert data["failures"] == {"Moon": "There is no such environment."}
    project, staging = data["new_var_ids"]
    values = {
        "name": "DBT_SALT",
        "new_name": "DBT_SPICE",
        str(project): "mined",
        str(staging): "",
        "Production": "fine",
    }
    changed = api.ask(bulk, "PUT", json={"env_vars": values}).json()["data"]
    assert changed["deleted_var_ids"] == [staging]
    assert api.get(f"{VARIABLES}environment/")["variables"] == {
        "DBT_SPICE": {
            "project": {"id": project, "value": "mined"},
            "Production": {"id": changed["new_var_ids"][0], "value": "fine"},
        }
    }
    assert api.ask(bulk, "DELETE", json={"name": "DBT_SPICE"}).status_code == 200
    assert api.get(f"{VARIABLES}environment/")["variables"] == {}
    assert api.ask(bulk, "DELETE", json={"name": "DBT_SPICE"}).status_code == 404


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ({"new_name": "SALT", "project": "sea"}, "begin with DBT_"),
        ({"new_name": "DBT_SALT", "project": "sea", "Staging": 1}, "is not of type 'string'"),
        ({"new_name": "DBT_OLD", "project": "sea"}, "exists already"),
        ({"new_name": "DBT_SUGAR", "project": "twice"}, "is in the request twice"),
    ],
)
def test_variables_in_bulk_are_created_all_or_none(api, second, reason):
    made(api, name="DBT_OLD")
    body = {"env_var": [{"new_name": "DBT_SUGAR", "project": "cane"}, second]}
    refused = api.ask(f"{VARIABLES}bulk/", "POST", json=body)
    assert refused.status_code == 400
    (failure,) = refused.json()["data"]
    assert (failure["key_name"], failure["status_code"]) == (second["new_name"], 400)
    assert reason in failure["reason"]
    assert list(api.get(f"{VARIABLES}environment/")["variables"]) == ["DBT_OLD"]


def test_a_run_sees_the_value_nearest_to_its_job(client_of, eventually):
    seen = {}

    async def note(plan, observer, cancelled):
        seen[plan.job_id] = plan.variables
        return Outcome(10, None)

    with LocalDbtCloud(execute=note) as server:
        client = client_of(server)
        made(client), made(client, value="wheat", type="environment", environment_id=2)
        made(client, value="oat", type="job", job_definition_id=1)
        for job in (1, 2, 6):
            client.start(job)
        eventually(lambda: len(seen) == 3)
    assert seen == {1: {"DBT_FLOUR": "oat"}, 2: {"DBT_FLOUR": "rye"}, 6: {"DBT_FLOUR": "wheat"}}


def test_a_variable_is_not_renamed_over_another(api):
    bulk = f"{VARIABLES}bulk/"
    api.post(
        bulk, env_var=[{"new_name": "DBT_SALT", "project": "sea"}, {"new_name": "DBT_ICE", "project": "no"}]
    )
    refused = api.ask(bulk, "PUT", json={"env_vars": {"name": "DBT_ICE", "new_name": "DBT_SALT"}})
    assert (refused.status_code, refused.json()["data"]) == (400, {"name": "'DBT_SALT' exists already."})
    kept = api.get(f"{VARIABLES}environment/")["variables"]
    assert {name: values["project"]["value"] for name, values in kept.items()} == {
        "DBT_SALT": "sea",
        "DBT_ICE": "no",
    }
