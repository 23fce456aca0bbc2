"""Projects: found, created, changed without losing anything, and deleted."""

import json

import pytest

from dbtcloud.errors import BadRequest, InvalidArgument, MalformedResponse, NotFound, ServerError
from wires.raw import answer, envelope, refusal

PATH = "/api/v3/accounts/1/projects/"
WHOLE = {
    "id": 7,
    "account_id": 1,
    "name": "Shop",
    "description": "All of it",
    "repository_id": 5,
    "connection_id": None,
    "state": 1,
    "type": 0,
    "a_later_field": {"is": "kept"},
    "connection": {"id": 3},
    "group_permissions": [],
    "created_at": "2026-01-02 03:04:05.000006+00:00",
    "updated_at": None,
}


def test_a_project_from_its_creation_to_its_end(face, dbt_cloud):
    created = face.ask(
        dbt_cloud, lambda client: client.projects.create("Sales", description="Now", repository_id=9)
    )
    assert (created.name, created.description, created.state) == ("Sales", "Now", 1)
    assert face.ask(dbt_cloud, lambda client: client.projects.get(created.id)) == created
    changed = face.ask(
        dbt_cloud, lambda client: client.projects.update(created.id, description=None, name="Sold")
    )
    assert (changed.name, changed.description, changed.data["repository_id"]) == ("Sold", None, 9)
    found = face.ask(dbt_cloud, lambda client: client.projects.list(name_contains="sOLD"))
    assert [project.id for project in found] == [created.id]
    assert face.ask(dbt_cloud, lambda client: client.projects.delete(created.id)) is None
    with pytest.raises(NotFound):
        face.ask(dbt_cloud, lambda client: client.projects.get(created.id))


def test_an_update_sends_back_all_that_the_project_has(face, raw_server):
    raw_server.reply = answer(envelope(WHOLE))
    face.ask(raw_server, lambda client: client.projects.update(7, name="Store", undocumented=4))
    read, written = raw_server.received
    assert (read.method, written.method) == ("GET", "POST")
    assert read.target == written.target == f"{PATH}7/"
    related = {"id", "connection", "group_permissions", "created_at", "updated_at"}
    kept = {name: value for name, value in WHOLE.items() if name not in related}
    assert json.loads(written.body) == {**kept, "name": "Store", "undocumented": 4}


def test_a_new_project_has_what_the_api_requires(face, raw_server):
    raw_server.reply = answer(envelope(WHOLE), 201)
    face.ask(raw_server, lambda client: client.projects.create("Shop", description=None, state=2))
    (sent,) = raw_server.received
    assert (sent.method, sent.target) == ("POST", PATH)
    assert json.loads(sent.body) == {"account_id": 1, "name": "Shop", "state": 2, "type": 0}


def test_a_creation_is_not_sent_twice_and_an_update_is(face, raw_server):
    failure = refusal(502, "Bad gateway")
    raw_server.reply = failure
    with pytest.raises(ServerError):
        face.ask(raw_server, lambda client: client.projects.create("Shop"))
    assert len(raw_server.received) == 1
    raw_server.replies(answer(envelope(WHOLE)), failure, answer(envelope(WHOLE)))
    assert face.ask(raw_server, lambda client: client.projects.update(7, name="Shop")).id == 7
    assert [each.method for each in raw_server.received[1:]] == ["GET", "POST", "POST"]


@pytest.mark.parametrize("reply", [answer(b"", 204), answer(envelope(WHOLE)), answer(envelope(None))])
def test_a_deletion_is_answered_with_the_project_or_nothing(face, raw_server, reply):
    raw_server.reply = reply
    assert face.ask(raw_server, lambda client: client.projects.delete(7)) is None
    assert [(each.method, each.target) for each in raw_server.received] == [("DELETE", f"{PATH}7/")]


def test_a_login_page_is_no_deletion(face, raw_server):
    raw_server.reply = answer(b"<html>Log in</html>", headers={"Content-Type": "text/html"})
    with pytest.raises(MalformedResponse):
        face.ask(raw_server, lambda client: client.projects.delete(7))


def test_an_update_of_what_cannot_be_read_sends_nothing(face, raw_server):
    raw_server.reply = answer(envelope(["no", "project"]))
    with pytest.raises(MalformedResponse):
        face.ask(raw_server, lambda client: client.projects.update(7, name="Shop"))
    assert {each.method for each in raw_server.received} == {"GET"}


def test_bad_input_has_one_clear_message(face, dbt_cloud):
    for call in ("get", "update", "delete"):
        with pytest.raises(InvalidArgument, match="'Shop' is not a valid project id"):
            face.ask(dbt_cloud, lambda client, call=call: getattr(client.projects, call)("Shop"))
    with pytest.raises(BadRequest, match="name"):
        face.ask(dbt_cloud, lambda client: client.projects.create(""))
