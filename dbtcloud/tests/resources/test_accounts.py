"""The accounts that the token can read."""

import pytest

from dbtcloud.errors import MalformedResponse, NotFound
from wires.raw import answer, envelope

ROWS = [{"id": 7, "name": "Shop", "plan": "enterprise", "run_slots": 3, "later": {"field": 1}}, {"id": 8}]


def test_the_accounts_come_in_one_answer(face, raw_server):
    # The specification has no pages here, and dbt Cloud refuses parameters that it does not know.
    raw_server.reply = answer(envelope(ROWS))
    shop, other = face.ask(raw_server, lambda client: client.accounts.list())
    assert (shop.id, shop.name, shop.plan, shop.run_slots) == (7, "Shop", "enterprise", 3)
    assert shop.to_dict() == ROWS[0]
    assert (other.name, other.plan) == ("", None)
    assert [each.target for each in raw_server.received] == ["/api/v3/accounts/"]


def test_more_accounts_than_a_page_has_rows(face, raw_server):
    rows = [{"id": number} for number in range(1, 251)]
    raw_server.reply = answer(envelope(rows, total=251))
    found = face.ask(raw_server, lambda client: client.accounts.list())
    assert [account.id for account in found] == list(range(1, 251))
    assert face.ask(raw_server, lambda client: client.accounts.list().first()).id == 1
    assert [each.target for each in raw_server.received] == ["/api/v3/accounts/"] * 2


@pytest.mark.parametrize(("data", "count"), [(ROWS, 2), ([], 0), (None, 0)])
def test_the_number_of_accounts(face, raw_server, data, count):
    raw_server.reply = answer(envelope(data))
    assert face.ask(raw_server, lambda client: client.accounts.list().total) == count


def test_what_is_no_list_is_an_error(face, raw_server):
    raw_server.reply = answer(envelope({"id": 1}))
    with pytest.raises(MalformedResponse):
        face.ask(raw_server, lambda client: client.accounts.list())


def test_the_account_of_the_client_and_another_one(face, dbt_cloud):
    assert face.ask(dbt_cloud, lambda client: client.accounts.get()).id == 1
    assert face.ask(dbt_cloud, lambda client: client.accounts.get("1")).id == 1
    with pytest.raises(NotFound):
        face.ask(dbt_cloud, lambda client: client.accounts.get(404))
