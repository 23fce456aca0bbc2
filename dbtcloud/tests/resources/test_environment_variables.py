"""Environment variables: listed, created, changed and deleted, in projects and jobs; secrets never show."""

import json
import logging

import pytest

from dbtcloud.client.definitions.environment_variable import CustomEnvironmentVariable
from dbtcloud.errors import BadRequest, DbtCloudError, InvalidArgument, MalformedResponse, NotFound
from wires.raw import answer, envelope, refusal

PATH = "/api/v3/accounts/1/projects/7/environment-variables"
SECRET, NAME = "s3cr\u00e9t-of-the-warehouse", "DBT_ENV_SECRET_TOKEN"
HIDDEN = "********"


def table(**variables):
    """The answer to a list: the values of variables by scope."""
    return answer(envelope({"environments": ["project", "Production", "Staging"], "variables": variables}))


@pytest.fixture
def shop(face, dbt_cloud):
    """The id of a project with the environments Production and Staging, and a job in the first one."""

    def make(client):
        return client.projects.create("Shop")

    project = face.ask(dbt_cloud, make)
    environments = [
        face.ask(dbt_cloud, lambda client, name=name: client.environments.create(project.id, name))
        for name in ("Production", "Staging")
    ]
    dbt_cloud.control.seed(
        jobs=[
            {
                "id": 71,
                "name": "Nightly",
                "project_id": project.id,
                "environment_id": environments[0].id,
                "pretend": {},
            }
        ]
    )
    return project.id


def values_of(variable):
    return {scope: each.value for scope, each in variable.values.items()}


def test_a_variable_from_its_creation_to_its_end(face, dbt_cloud, shop):
    def ask(use):
        return face.ask(dbt_cloud, lambda client: use(client.environment_variables))

    one = ask(lambda variables: variables.create(shop, "DBT_ONE", "x"))
    assert values_of(one) == {"project": "x"}
    two = ask(lambda variables: variables.create(shop, "DBT_TWO", {"project": "d", "Production": "p"}))
    assert (two.name, two.is_secret, values_of(two)) == (
        "DBT_TWO",
        False,
        {"project": "d", "Production": "p"},
    )
    assert [each.name for each in ask(lambda variables: variables.list(shop))] == ["DBT_ONE", "DBT_TWO"]
    changes = {"Production": "q", "Staging": "s", "project": None}
    changed = ask(lambda variables: variables.update(shop, "DBT_TWO", changes, new_name="DBT_NEW"))
    assert (changed.name, values_of(changed)) == ("DBT_NEW", {"Production": "q", "Staging": "s"})
    assert ask(lambda variables: variables.update(shop, "DBT_NEW")) == changed
    assert changed.to_dict() == {"name": "DBT_NEW", "values": changed.data}
    assert ask(lambda variables: variables.delete(shop, "DBT_NEW")) is None
    assert [each.name for each in ask(lambda variables: variables.list(shop))] == ["DBT_ONE"]


def test_a_variable_without_values_is_gone(face, dbt_cloud, shop):
    def ask(use):
        return face.ask(dbt_cloud, lambda client: use(client.environment_variables))

    ask(lambda variables: variables.create(shop, "DBT_ONE", "x"))
    assert values_of(ask(lambda variables: variables.update(shop, "DBT_ONE", {"project": None}))) == {}
    assert ask(lambda variables: variables.list(shop)) == []


def test_a_job_has_values_of_its_own(face, dbt_cloud, shop):
    def ask(use):
        return face.ask(dbt_cloud, lambda client: use(client.environment_variables))

    ask(lambda variables: variables.create(shop, "DBT_ONE", {"project": "x", "Production": "y"}))
    assert ask(lambda variables: variables.list_overrides(71)) == []
    first = ask(lambda variables: variables.set_override(71, "DBT_ONE", "z"))
    assert values_of(first) == {"project": "x", "environment": "y", "job": "z"}
    second = ask(lambda variables: variables.set_override("71", "DBT_ONE", "zz"))
    assert (second.values["job"].id, second.values["job"].value) == (first.values["job"].id, "zz")
    assert ask(lambda variables: variables.list_overrides(71)) == [second]
    assert ask(lambda variables: variables.delete_override(71, "DBT_ONE")) is None
    assert ask(lambda variables: variables.list_overrides(71)) == []
    with pytest.raises(InvalidArgument, match="Job 71 has no value of its own for 'DBT_ONE'"):
        ask(lambda variables: variables.delete_override(71, "DBT_ONE"))
    with pytest.raises(NotFound):
        ask(lambda variables: variables.list_overrides(404))


def test_secret_values_are_stored_and_not_shown(face, dbt_cloud, shop):
    stored = face.ask(dbt_cloud, lambda client: client.environment_variables.create(shop, NAME, SECRET))
    assert stored.is_secret
    assert values_of(stored) == {"project": HIDDEN}


def test_a_secret_that_comes_all_the_same_goes_nowhere(face, raw_server):
    raw_server.reply = table(**{NAME: {"project": {"id": 4, "value": SECRET}, "Staging": None}})
    (found,) = face.ask(raw_server, lambda client: client.environment_variables.list(7))
    assert SECRET not in f"{found!r} {found.data} {found.to_dict()} {found.values}"
    assert found.values["project"].id == 4


def echo(status):
    """Answer each change with an error that repeats what was sent."""

    def reply(request):
        if request.method == "GET" and "/jobs/" in request.target:
            return answer(envelope({"id": 71, "name": "Nightly", "project_id": 7}))
        if request.method == "GET" and "/job/" in request.target:
            return answer(envelope({NAME: {"job": {"id": 4, "value": HIDDEN}}}))
        if request.method == "GET":
            return table(**{NAME: {"project": {"id": 4, "value": HIDDEN}}})
        sent = json.loads(request.body)
        return refusal(status, f"Refused {request.body.decode()}", {"body": sent, "values": [str(sent)]})

    return reply


CHANGES = {
    "create": lambda variables: variables.create(7, NAME, {"project": SECRET, "Production": SECRET}),
    "update": lambda variables: variables.update(7, NAME, SECRET),
    "rename": lambda variables: variables.update(7, "DBT_ONE", SECRET, new_name=NAME),
    "override": lambda variables: variables.set_override(71, NAME, SECRET),
}


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("change", CHANGES)
def test_no_error_and_no_log_shows_a_secret_that_the_answer_repeats(face, raw_server, caplog, change, status):
    caplog.set_level(logging.DEBUG)
    raw_server.reply = echo(status)
    with pytest.raises(DbtCloudError, match="Refused") as caught:
        face.ask(raw_server, lambda client: CHANGES[change](client.environment_variables))
    assert SECRET in raw_server.received[-1].body.decode("unicode_escape")
    shown = f"{caught.value!r} {vars(caught.value)} {caplog.text}"
    assert SECRET not in shown
    assert "s3cr" not in shown


def test_values_that_are_not_secret_stay_in_errors(face, raw_server):
    raw_server.reply = echo(400)
    with pytest.raises(BadRequest, match="dev_schema"):
        face.ask(
            raw_server, lambda client: client.environment_variables.create(7, "DBT_SCHEMA", "dev_schema")
        )


def test_an_update_names_values_by_their_ids_and_new_ones_by_environment(face, raw_server):
    raw_server.replies(
        table(DBT_ONE={"project": {"id": 4, "value": "a"}, "Staging": {"id": 5, "value": "b"}}),
        answer(envelope({"message": "Updated.", "new_var_ids": [6], "failures": {}})),
        table(DBT_ONE={"project": {"id": 4, "value": "a"}}),
    )
    changes = {"Staging": None, "Production": "p"}
    face.ask(raw_server, lambda client: client.environment_variables.update(7, "DBT_ONE", changes))
    written = raw_server.received[1]
    assert (written.method, written.target) == ("PUT", f"{PATH}/bulk/")
    assert json.loads(written.body) == {"env_vars": {"name": "DBT_ONE", "5": None, "Production": "p"}}


def test_values_that_dbt_cloud_has_not_stored_are_an_error(face, raw_server):
    result = {"message": "Created.", "new_var_ids": [6], "failures": {"Production": "It is locked."}}
    raw_server.replies(table(), answer(envelope([{"status": "success", "data": result}])))
    with pytest.raises(DbtCloudError, match=r"not stored all values.*It is locked"):
        face.ask(raw_server, lambda client: client.environment_variables.create(7, "DBT_ONE", "x"))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("", "x", "not a name"),
        (None, "x", "not a name"),
        ("DBT_ONE", 5, "DBT_ONE cannot have a value of the type int in project"),
        ("DBT_ONE", {"Production": ["x"]}, "DBT_ONE cannot have a value of the type list in Production"),
        ("DBT_ONE", "", "an empty text"),
        ("DBT_ONE", None, "DBT_ONE has no value"),
        ("DBT_ONE", {}, "DBT_ONE has no value"),
        ("DBT_ONE", {"Prod": "x"}, r"no environment named 'Prod'.*'Production', 'Staging'"),
    ],
)
def test_bad_input_has_one_clear_message(face, raw_server, name, value, message):
    raw_server.reply = table()
    with pytest.raises(InvalidArgument, match=message):
        face.ask(raw_server, lambda client: client.environment_variables.create(7, name, value))
    assert {each.method for each in raw_server.received} <= {"GET"}


@pytest.mark.parametrize("value", ["", None, 5])
def test_a_job_needs_a_text(face, raw_server, value):
    raw_server.reply = answer(envelope({"id": 71, "name": "Nightly", "project_id": 7}))
    with pytest.raises(InvalidArgument, match="DBT_ONE cannot have"):
        face.ask(raw_server, lambda client: client.environment_variables.set_override(71, "DBT_ONE", value))


def test_what_dbt_cloud_refuses(face, dbt_cloud, shop):
    def ask(use):
        return face.ask(dbt_cloud, lambda client: use(client.environment_variables))

    with pytest.raises(BadRequest, match="begin with DBT_"):
        ask(lambda variables: variables.create(shop, "SCHEMA", "x"))
    for change in ("update", "delete"):
        with pytest.raises(NotFound):
            ask(lambda variables, change=change: getattr(variables, change)(shop, "DBT_NONE"))
    with pytest.raises(NotFound):
        ask(lambda variables: variables.list(404))


@pytest.mark.parametrize("data", [[], {"environments": [], "variables": [1]}, {"DBT_ONE": 5}, "x"])
def test_what_is_no_list_is_an_error(face, raw_server, data):
    raw_server.reply = answer(envelope(data))
    with pytest.raises(MalformedResponse):
        face.ask(raw_server, lambda client: client.environment_variables.list(7))


def test_fields_of_later_years_do_no_harm():
    row = {"id": "DBT_ONE", "values": {"project": {"id": 4, "value": "a", "later": [1]}, "Later": {"id": 5}}}
    variable = CustomEnvironmentVariable.parse(row)
    assert values_of(variable) == {"project": "a", "Later": None}
    assert variable.data["project"]["later"] == [1]
    assert hash(variable) == hash(CustomEnvironmentVariable.parse(row))
