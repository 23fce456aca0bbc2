"""Environments: found with and without their project, created, changed without losing anything, deleted."""

import json

import pytest

from dbtcloud.errors import BadRequest, InvalidArgument, MalformedResponse, NotFound
from wires.raw import answer, envelope

V2, V3 = "/api/v2/accounts/1/environments/", "/api/v3/accounts/1/projects/7/environments/"
WHOLE = {
    "id": 5,
    "account_id": 1,
    "project_id": 7,
    "name": "Production",
    "type": "deployment",
    "deployment_type": "production",
    "dbt_version": "latest",
    "use_custom_branch": True,
    "custom_branch": "main",
    "credentials_id": 33,
    "connection_id": 44,
    "supports_docs": True,
    "state": 1,
    "a_later_field": [1],
    "project": {"id": 7},
    "raw_dbt_version": "latest",
    "created_at": None,
}


def test_an_environment_from_its_creation_to_its_end(face, dbt_cloud):
    project = face.ask(dbt_cloud, lambda client: client.projects.create("Sales"))
    created = face.ask(
        dbt_cloud,
        lambda client: client.environments.create(
            project.id, "Staging", deployment_type="staging", credentials_id=12, custom_branch="next"
        ),
    )
    assert (created.project_id, created.type, created.deployment_type) == (
        project.id,
        "deployment",
        "staging",
    )
    assert created.custom_branch == "next"
    for within in (None, project.id):
        found = face.ask(
            dbt_cloud, lambda client, within=within: client.environments.get(created.id, project_id=within)
        )
        assert (found.id, found.name) == (created.id, "Staging")
    changed = face.ask(
        dbt_cloud, lambda client: client.environments.update(created.id, name="Tests", custom_branch=None)
    )
    assert (changed.name, changed.custom_branch, changed.data["credentials_id"]) == ("Tests", None, 12)
    assert changed.data["use_custom_branch"] is False
    for within in (None, project.id):
        found = face.ask(
            dbt_cloud,
            lambda client, within=within: client.environments.list(project_id=within, name_contains="tEST"),
        )
        assert [environment.id for environment in found] == [created.id]
    assert face.ask(dbt_cloud, lambda client: client.environments.delete(created.id)) is None
    with pytest.raises(NotFound):
        face.ask(dbt_cloud, lambda client: client.environments.get(created.id))


def test_an_update_sends_back_all_that_the_environment_has(face, raw_server):
    # The specification: "Any omitted fields will be reset to their default values".
    raw_server.reply = answer(envelope(WHOLE))
    face.ask(raw_server, lambda client: client.environments.update(5, dbt_version="1.9", undocumented="x"))
    sent = [(each.method, each.target) for each in raw_server.received]
    # v2 names the project; but it does not have all fields that v3 replaces.
    assert sent == [("GET", f"{V2}5/"), ("GET", f"{V3}5/"), ("POST", f"{V3}5/")]
    kept = {
        name: value
        for name, value in WHOLE.items()
        if name not in {"id", "project", "raw_dbt_version", "created_at"}
    }
    body = json.loads(raw_server.received[-1].body)
    assert body == {**kept, "dbt_version": "1.9", "undocumented": "x"}


def test_with_its_project_an_environment_needs_no_search(face, raw_server):
    raw_server.reply = answer(envelope(WHOLE))
    face.ask(raw_server, lambda client: client.environments.update(5, project_id=7, custom_branch="x"))
    face.ask(raw_server, lambda client: client.environments.delete(5, project_id="7"))
    sent = [(each.method, each.target) for each in raw_server.received]
    assert sent == [("GET", f"{V3}5/"), ("POST", f"{V3}5/"), ("DELETE", f"{V3}5/")]


def test_a_new_environment_has_what_the_api_requires(face, raw_server):
    raw_server.reply = answer(envelope(WHOLE), 201)
    face.ask(raw_server, lambda client: client.environments.create(7, "Production"))
    (sent,) = raw_server.received
    assert (sent.method, sent.target) == ("POST", V3)
    assert json.loads(sent.body) == {
        "account_id": 1,
        "project_id": 7,
        "name": "Production",
        "type": "deployment",
        "dbt_version": "latest",
        "use_custom_branch": False,
        "supports_docs": False,
        "state": 1,
    }


def test_without_a_project_in_the_answer_nothing_is_deleted(face, raw_server):
    raw_server.reply = answer(envelope({"id": 5, "name": "Production"}))
    with pytest.raises(MalformedResponse, match="project_id"):
        face.ask(raw_server, lambda client: client.environments.delete(5))
    assert {each.method for each in raw_server.received} == {"GET"}


def test_bad_input_has_one_clear_message(face, dbt_cloud):
    for call in ("get", "update", "delete"):
        with pytest.raises(InvalidArgument, match="'Production' is not a valid environment id"):
            face.ask(dbt_cloud, lambda client, call=call: getattr(client.environments, call)("Production"))
    with pytest.raises(BadRequest, match="deployment_type"):
        face.ask(dbt_cloud, lambda client: client.environments.create(1, "X", deployment_type="y"))
