"""Connections with a mistake: the message names it and the line to change, and no token that stands there."""

import json

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from dbtcloud.testing import CONNECTION_VARIABLE

TOKEN = "dbtc_aB3=x/y+Zz-12"
HOST = "ab123.us1.dbt.com"


def refusal(fields, monkeypatch):
    """What is said of a connection, as its first use says it."""
    written = fields if isinstance(fields, str) else json.dumps({"conn_type": "dbt_cloud", **fields})
    monkeypatch.setenv(CONNECTION_VARIABLE, written)
    with pytest.raises(DbtCloudApiException) as refused:
        DbtCloudHook().list_jobs()
    assert TOKEN.lower() not in str(refused.value).lower()
    return str(refused.value)


@pytest.mark.parametrize("rest", ["1:secret@ab123.us1.dbt.com", ":secret@", "1:secret@host?timeout=5"])
async def test_an_underscore_in_a_uri_is_named(rest, monkeypatch):
    said = refusal(f"dbt_cloud://{rest}", monkeypatch)
    assert "dbt_cloud://" in said
    assert "dbt-cloud://" in said
    assert "AIRFLOW_CONN_DBT_CLOUD_DEFAULT" in said
    assert "secret" not in said
    with pytest.raises(DbtCloudApiException, match="dbt-cloud://"):
        await DbtCloudHook().get_job_status(7)


@pytest.mark.parametrize("before", ["Token ", "token: ", "Bearer ", "Authorization: Token ", '"', "'"])
def test_what_was_copied_with_a_token_is_named(before, monkeypatch):
    after = before if before in "\"'" else ""
    said = refusal({"host": HOST, "login": "1", "password": f"{before}{TOKEN}{after}"}, monkeypatch)
    assert "The API token is not a token alone" in said
    assert (before.strip() in said) or "quotation marks" in said


@pytest.mark.parametrize("token", [TOKEN, "shop-secret"])
def test_a_token_as_the_account_id_is_not_shown(token, monkeypatch):
    for password in (token, "another"):
        said = refusal({"host": HOST, "login": token, "password": password}, monkeypatch)
        assert "is not a valid account id" in said
        assert "Account ID (login)" in said
        assert token not in said or (password, token) == ("another", "shop-secret")


def test_fields_that_changed_places_are_named(monkeypatch):
    said = refusal({"host": HOST, "login": TOKEN, "password": "70403"}, monkeypatch)
    assert "they stand the other way round" in said


@pytest.mark.parametrize(
    "fields",
    [
        {"host": TOKEN},
        {"host": f"https://{TOKEN}/"},
        {"host": f"http://{TOKEN.replace('/', '.').replace('=', '-').replace('+', '-')}.example"},
        {"host": HOST, "extra": {"timeout": TOKEN}},
        {"host": HOST, "extra": {"trust_env": TOKEN}},
        {"host": HOST, "extra": {"verify": TOKEN}},
        {"host": HOST, "extra": {"cert": TOKEN}},
        {"host": HOST, "extra": {"cert": [TOKEN]}},
        {"host": HOST, "extra": {"proxies": TOKEN}},
        {"host": HOST, "extra": {"proxies": {"https": TOKEN}}},
        {"host": HOST, "extra": {"discovery_url": TOKEN}},
        {"host": HOST, "extra": {"account_id": TOKEN}},
        {"host": HOST, "extra": {"account_id": {"id": TOKEN}}},
    ],
    ids=str,
)
@pytest.mark.parametrize("password", [TOKEN, "another"])
def test_a_token_in_another_field_is_not_shown(fields, password, monkeypatch):
    assert refusal({"password": password, **fields}, monkeypatch)


@pytest.mark.parametrize(
    "extra", [["verify"], "7", {"cert": []}, {"cert": {"key": 1}}, {"cert": ["a", "b", "c"]}], ids=str
)
def test_an_extra_of_another_form_is_refused(extra, monkeypatch):
    said = refusal({"host": HOST, "password": TOKEN, "login": "1", "extra": extra}, monkeypatch)
    assert "extra" in said
    assert "Write it as" in said
