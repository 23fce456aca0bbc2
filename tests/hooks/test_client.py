"""The hook's connection gives a client, credentials, and a hook for metadata alone."""

import json
import os

import pytest

from airflow_dbt_cloud.credentials import from_connection
from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from airflow_dbt_cloud.hooks.discovery import DbtCloudDiscoveryHook
from dbtcloud.errors import NotFound
from dbtcloud.testing import CONNECTION_VARIABLE


def test_the_hook_gives_a_ready_client(dbt_cloud):
    with DbtCloudHook().client() as client:
        assert client.account_id == "1"
        assert client.projects.list().first().name == "Sample bakery"
        with pytest.raises(NotFound):
            client.jobs.get(999)


def test_the_client_retries_as_often_as_the_hook(dbt_cloud):
    dbt_cloud.control.add_fault("status", status=503, route="*/jobs/1/", count=5)
    with DbtCloudHook(retry_limit=6, retry_delay=0.01).client() as client:
        assert client.jobs.get(1).id == 1


def test_credentials_carry_the_network_settings_of_the_connection(dbt_cloud, monkeypatch):
    connection = json.loads(os.environ[CONNECTION_VARIABLE])
    extra = {"timeout": 7, "proxies": {"https": "http://proxy.example:3128"}, "verify": False}
    monkeypatch.setenv(CONNECTION_VARIABLE, json.dumps({**connection, "extra": extra}))
    credentials = from_connection("dbt_cloud_default")
    with credentials.get_administrative_client() as client:
        transport = client._engine.options.credentials.transport
    assert (transport.timeout, transport.verify) == (7, False)
    assert transport.proxies["https"] == "http://proxy.example:3128"
    assert (credentials.account_id, credentials.domain) == (1, dbt_cloud.url)
    assert dbt_cloud.token not in repr(credentials)


def test_a_connection_without_a_token_is_refused(monkeypatch):
    monkeypatch.setenv(CONNECTION_VARIABLE, json.dumps({"conn_type": "dbt_cloud", "host": "ab.us1.dbt.com"}))
    with pytest.raises(DbtCloudApiException, match="token"):
        from_connection()


def test_the_hook_for_metadata_queries_and_says_whether_it_can(dbt_cloud):
    hook = DbtCloudDiscoveryHook()
    assert hook.run_discovery_query("{ environment(id: 1) { __typename } }") == {
        "environment": {"__typename": "Environment"}
    }
    assert hook.test_connection() == (True, f"Connected to the Discovery API of {dbt_cloud.url}.")
    dbt_cloud.control.add_fault("status", status=401, route="/graphql", count=1)
    assert hook.test_connection()[0] is False


def test_an_account_that_is_no_number_is_refused(connect):
    hook = connect(host="ab123.us1.dbt.com", login="my-account")
    for make in (hook.client, hook.credentials):
        with pytest.raises(DbtCloudApiException, match="Account ID"):
            make()
    unnamed = connect(host="ab123.us1.dbt.com", login="").credentials()
    assert (unnamed.account_id, unnamed.domain) == (None, "https://ab123.us1.dbt.com")
