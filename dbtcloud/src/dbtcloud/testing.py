"""A pytest plugin: a dbt Cloud on this machine for your tests, with its Airflow connection.

It is there wherever the package is installed; a test asks for `dbt_cloud`:

    def test_my_dag(dbt_cloud):
        dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {"running": 2, "outcome": 10}}])
        my_dag.test()

Runs of jobs with a `pretend` entry follow that script; the default jobs really run dbt. Until a test asks for
a fixture, neither the server nor Airflow is imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dbtcloud.local.server.in_thread import LocalDbtCloud

CONNECTION_VARIABLE = "AIRFLOW_CONN_DBT_CLOUD_DEFAULT"
"""Airflow reads the connection `dbt_cloud_default` from this environment variable."""


def connection_json(cloud: LocalDbtCloud) -> str:
    """The Airflow connection to a local dbt Cloud, as Airflow reads it from the environment."""
    fields = {"conn_type": "dbt_cloud", "host": cloud.url, "login": str(cloud.account_id)}
    return json.dumps({**fields, "password": cloud.token})


@pytest.fixture(scope="session")
def dbt_cloud_server() -> Iterator[LocalDbtCloud]:
    """A local dbt Cloud that serves for the whole test session."""
    from dbtcloud.local.server.in_thread import LocalDbtCloud

    with LocalDbtCloud() as cloud:
        yield cloud


@pytest.fixture
def dbt_cloud(dbt_cloud_server: LocalDbtCloud, monkeypatch: pytest.MonkeyPatch) -> LocalDbtCloud:
    """The local dbt Cloud as it was when it started, behind the connection `dbt_cloud_default`."""
    dbt_cloud_server.control.reset()
    monkeypatch.setenv(CONNECTION_VARIABLE, connection_json(dbt_cloud_server))
    return dbt_cloud_server


@pytest.fixture(scope="session")
def dbt_cloud_session() -> Iterator[LocalDbtCloud]:
    """A local dbt Cloud that the whole session shares: nothing resets it, and the connection leads to it.

    It is another server than that of `dbt_cloud`, whose connection counts in a test that asks for both.
    """
    from dbtcloud.local.server.in_thread import LocalDbtCloud

    with LocalDbtCloud() as cloud, pytest.MonkeyPatch.context() as environment:
        environment.setenv(CONNECTION_VARIABLE, connection_json(cloud))
        yield cloud
