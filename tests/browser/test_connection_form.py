"""The connection form in Airflow's own web page."""

import json

import pytest
from playwright.sync_api import expect

LABELS = {"host": "Tenant / Access URL", "login": "Account ID", "password": "API Token"}
# The labels of extra fields point at no input in Airflow 3.3.2.
DISCOVERY_URL = "input[name=element_discovery_url]"


@pytest.fixture
def form(web):
    return web.new_connection("dbt Cloud")


def test_the_form_asks_for_what_dbt_cloud_needs_by_its_own_names(web, form):
    for name, label in LABELS.items():
        expect(form.get_by_label(label, exact=True)).to_have_attribute("name", name)
    web.shoot("connection-form")


def test_the_form_says_by_example_what_belongs_where(form):
    expect(form.get_by_label("Tenant / Access URL")).to_have_attribute(
        "placeholder", "ab123.us1.dbt.com (Account settings: Access URL)"
    )
    expect(form.get_by_label("Account ID")).to_have_attribute("placeholder", "12345")
    expect(form.get_by_label("API Token")).to_have_attribute(
        "placeholder", "Service token or personal access token"
    )


def test_the_form_hides_the_token_and_the_fields_without_a_meaning(form):
    expect(form.get_by_label("API Token")).to_have_attribute("type", "password")
    assert form.get_by_label("Schema").count() == 0
    assert form.get_by_label("Port").count() == 0


def test_proxies_and_the_discovery_url_have_fields_of_their_own(web, form):
    form.get_by_role("button", name="Extra Fields", exact=True).click()
    expect(form.get_by_text("Proxies", exact=True)).to_be_visible()
    expect(form.locator(DISCOVERY_URL)).to_be_visible()
    web.shoot("connection-form-extra")


def fill(form, connection_id, **fields):
    form.get_by_label("Connection ID").fill(connection_id)
    for name, value in fields.items():
        form.get_by_label(LABELS[name], exact=True).fill(value)


def test_a_saved_connection_holds_what_was_typed(web, airflow, form):
    fill(form, "typed", host="ab123.us1.dbt.com", login="77", password="made up")
    form.get_by_role("button", name="Extra Fields", exact=True).click()
    form.locator(DISCOVERY_URL).fill("https://ab123.metadata.us1.dbt.com")
    web.save_connection(form)
    saved = airflow.rest.get("connections/typed")
    assert (saved["conn_type"], saved["host"], saved["login"]) == ("dbt_cloud", "ab123.us1.dbt.com", "77")
    assert json.loads(saved["extra"])["discovery_url"] == "https://ab123.metadata.us1.dbt.com"


def give_port_zero(airflow, connection_id):
    """Store the page's idea of "no port": until apache/airflow#73298 Airflow refuses to test any other."""
    fields = {"connection_id": connection_id, "conn_type": "dbt_cloud", "port": 0}
    airflow.rest.call("PATCH", f"connections/{connection_id}", params={"update_mask": "port"}, json=fields)


def test_the_test_button_passes_where_dbt_cloud_can_be_read(web, airflow, cloud, form):
    fill(form, "right", host=cloud.url, login="1", password=cloud.token)
    web.save_connection(form)
    give_port_zero(airflow, "right")
    answer = web.test_connection("right")
    web.shoot("connection-test-passed")
    assert "Success" in answer


def test_the_test_button_says_that_the_token_is_wrong(web, airflow, cloud, form):
    fill(form, "wrong_token", host=cloud.url, login="1", password="not-the-token")
    web.save_connection(form)
    give_port_zero(airflow, "wrong_token")
    answer = web.test_connection("wrong_token")
    web.shoot("connection-test-wrong-token")
    assert "Failed" in answer
    assert "token" in answer
    assert "not-the-token" not in answer


def test_the_test_button_says_that_the_account_is_wrong(web, airflow, cloud, form):
    fill(form, "wrong_account", host=cloud.url, login="2", password=cloud.token)
    web.save_connection(form)
    give_port_zero(airflow, "wrong_account")
    answer = web.test_connection("wrong_account")
    assert "Failed" in answer
    assert "account" in answer
