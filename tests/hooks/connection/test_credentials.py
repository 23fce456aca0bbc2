"""Connections as people write them, and a clear word on those that cannot work."""

import json
from importlib.metadata import version

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from dbtcloud.testing import CONNECTION_VARIABLE


@pytest.fixture
def warnings(caplog):
    """What this package has warned of."""
    return lambda: [each.getMessage() for each in caplog.records if each.name.startswith("airflow_dbt_cloud")]


@pytest.fixture
def access_of(connect):
    return lambda **fields: connect(**fields)._credentials


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "ab123.us1.dbt.com"}, "https://ab123.us1.dbt.com"),
        ({"host": "https://ab123.us1.dbt.com/deploy/1/"}, "https://ab123.us1.dbt.com"),
        ({"host": "localhost:8543"}, "https://localhost:8543"),
        ({"host": "localhost", "port": 8543}, "https://localhost:8543"),
        ({"host": "127.0.0.1", "port": 8580, "schema": "http"}, "http://127.0.0.1:8580"),
        ({"host": "http://[::1]:8580"}, "http://[::1]:8580"),
        ({"host": " ab123.us1.dbt.com "}, "https://ab123.us1.dbt.com"),
    ],
)
def test_a_host_may_be_bare_or_a_whole_address(access_of, fields, url, warnings):
    assert access_of(**fields).base_url == url
    assert warnings() == []


@pytest.mark.parametrize("fields", [{}, {"host": ""}])
def test_no_host_is_taken_for_the_shared_one_with_a_warning(access_of, fields, warnings):
    assert access_of(**fields).base_url == "https://cloud.getdbt.com"
    (warning,) = warnings()
    assert "retires on 2027-02-03" in warning
    assert "Access URL" in warning
    assert "ab123.us1.dbt.com" in warning


@pytest.mark.parametrize("host", ["cloud.getdbt.com", "https://cloud.getdbt.com"])
def test_the_shared_host_written_out_is_warned_of_too(access_of, host, caplog):
    assert access_of(host=host).base_url == "https://cloud.getdbt.com"
    assert "retires on 2027-02-03" in caplog.text


@pytest.mark.parametrize("host", ["http://dbt-local:8580", "http://ab123.us1.dbt.com"])
def test_http_off_this_machine_is_refused(access_of, host):
    with pytest.raises(DbtCloudApiException, match="unencrypted"):
        access_of(host=host)


@pytest.mark.parametrize(
    "allowed", [["dbt-local"], "dbt-local", "other, dbt-local", '["dbt-local"]', ["DBT-Local"]], ids=repr
)
def test_http_to_a_named_host_is_let_through_with_a_warning(access_of, allowed, caplog):
    extra = {"allow_insecure_http": allowed}
    assert access_of(host="http://dbt-local:8580", extra=extra).base_url == "http://dbt-local:8580"
    assert "is sent to http://dbt-local:8580 unencrypted" in caplog.text


@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://other"]
)
def test_nothing_is_warned_of_where_the_token_is_safe(access_of, host, warnings):
    access_of(host=host, extra={"allow_insecure_http": ["dbt-local"]})
    assert warnings() == []


@pytest.mark.parametrize("host", ["user:pw@host", "ftp://host", "two words", "host:port"])
def test_a_host_that_is_none_is_told_with_what_to_write(access_of, host):
    with pytest.raises(DbtCloudApiException, match="Access URL") as refused:
        access_of(host=host)
    assert "pw" not in str(refused.value)


def as_json(**fields):
    return json.dumps({"conn_type": "dbt_cloud", "host": "ab123.us1.dbt.com", "password": "secret", **fields})


FORMS = {
    "uri": "dbt-cloud://7:secret@ab123.us1.dbt.com",
    "uri with extra": "dbt-cloud://:secret@ab123.us1.dbt.com/?account_id=7",
    "uri with https": "dbt-cloud://7:secret@https%3A%2F%2Fab123.us1.dbt.com",
    "json": as_json(login="7"),
    "json, blanks": as_json(login=" 7 ", password=" secret\n"),
    "account in extra": as_json(extra={"account_id": 7}),
    "extra as text": as_json(extra='{"account_id": "7"}'),
}


@pytest.mark.parametrize("form", FORMS)
async def test_a_connection_may_be_written_in_many_forms(form, monkeypatch):
    monkeypatch.setenv(CONNECTION_VARIABLE, FORMS[form])
    for access in (DbtCloudHook()._credentials, await DbtCloudHook()._fetch_credentials()):
        assert (access.base_url, access.account_id, access.token) == (
            "https://ab123.us1.dbt.com",
            "7",
            "secret",
        )


def test_a_connection_of_a_token_alone_is_enough(monkeypatch):
    monkeypatch.setenv(CONNECTION_VARIABLE, "dbt-cloud://:secret@")
    access = DbtCloudHook()._credentials
    assert (access.base_url, access.account_id, access.token) == ("https://cloud.getdbt.com", None, "secret")


@pytest.mark.parametrize("login", ["acme", "12a", "1/../2", "1.0"])
def test_an_account_that_is_no_number_is_told(connect, raw_server, login):
    hook = connect(host=raw_server.url, login=login)
    with pytest.raises(DbtCloudApiException, match="is not a valid account id"):
        hook.list_jobs()
    assert raw_server.received == []


@pytest.mark.parametrize("fields", [{"login": None}, {"login": "  "}])
async def test_no_account_is_told_by_both_worlds_unless_the_call_names_one(connect, raw_server, fields):
    hook = connect(host=raw_server.url, **fields)
    with pytest.raises(DbtCloudApiException, match=r"'dbt_cloud_default' names none.*Account ID"):
        hook.get_account()
    with pytest.raises(DbtCloudApiException, match=r"'dbt_cloud_default' names none.*Account ID"):
        await hook.get_job_status(7)
    assert hook.get_account(5).status_code == 200
    assert raw_server.received[0].target == "/api/v2/accounts/5/"


async def test_no_token_is_told_by_both_worlds(connect):
    hook = connect(host="ab123.us1.dbt.com", password=None)
    with pytest.raises(DbtCloudApiException, match=r"An API token is required.*service token"):
        hook.get_account()
    with pytest.raises(DbtCloudApiException, match=r"An API token is required.*service token"):
        await hook.get_job_status(7)


def test_a_token_that_cannot_be_sent_is_not_shown(connect):
    with pytest.raises(DbtCloudApiException, match="cannot be sent") as refused:
        connect(host="ab123.us1.dbt.com", password="half\nother-half").get_account()
    assert "half" not in str(refused.value)


@pytest.mark.skipif(version("apache-airflow") < "3.2", reason="before, it is looked for inside tasks only")
def test_a_connection_that_is_not_there_is_named():
    with pytest.raises(AirflowException, match="no_such_connection"):
        DbtCloudHook("no_such_connection").get_account()


@pytest.mark.parametrize(
    ("extra", "seconds"),
    [
        ({}, 60),
        ({"timeout": 5}, 5),
        ({"timeout": "7.5"}, 7.5),
        ({"timeout": ""}, 60),
        ({"timeout": None}, 60),
    ],
)
def test_the_timeout_is_a_minute_unless_the_connection_has_another(access_of, extra, seconds):
    assert access_of(host="x.dbt.com", extra=extra).transport.timeout == seconds


def test_the_hooks_own_timeout_goes_before_the_connections(connect):
    hook = connect(host="x.dbt.com", extra={"timeout": 5}, options={"timeout_seconds": 3})
    assert hook._credentials.transport.timeout == 3


def test_the_discovery_address_may_be_given(access_of):
    access = access_of(host="x.dbt.com", extra={"discovery_url": "https://y.dbt.com/graphql"})
    assert access.discovery_url == "https://y.dbt.com/graphql"
