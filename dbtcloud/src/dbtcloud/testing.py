"""A pytest plugin with a local dbt Cloud for your tests, and its Airflow connection.

pytest finds the plugin wherever `dbtcloud[local]` is installed. A test uses the fixture `dbt_cloud`:

    def test_my_dag(dbt_cloud):
        dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {"running": 2, "outcome": 10}}])
        my_dag.test()

Runs of a job with a `pretend` entry are simulated, and follow that script. The default jobs run dbt Core.
Importing the plugin imports neither the server nor Airflow, and never raises.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dbtcloud.local.server.in_thread import LocalDbtCloud

__all__ = [
    "CONNECTION_VARIABLE",
    "LocalDbtCloud",
    "connection_json",
    "dbt_cloud",
    "dbt_cloud_server",
    "dbt_cloud_session",
]

CONNECTION_VARIABLE = "AIRFLOW_CONN_DBT_CLOUD_DEFAULT"
"""The environment variable from which Airflow reads the connection `dbt_cloud_default`."""


def __getattr__(name: str) -> Any:
    # pytest imports this module in every session: the server is imported only when it is used.
    if name == "LocalDbtCloud":
        return _local_dbt_cloud()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _local_dbt_cloud() -> type[LocalDbtCloud]:
    from dbtcloud.core.runner_errors import MissingExtra

    MissingExtra.check()
    from dbtcloud.local.server.in_thread import LocalDbtCloud

    return LocalDbtCloud


def connection_json(cloud: LocalDbtCloud) -> str:
    """Return the Airflow connection to a local dbt Cloud as JSON, for an environment variable."""
    fields = {"conn_type": "dbt_cloud", "host": cloud.url, "login": str(cloud.account_id)}
    return json.dumps({**fields, "password": cloud.token})


@pytest.fixture(scope="session")
def dbt_cloud_server() -> Iterator[LocalDbtCloud]:
    """Return a local dbt Cloud that runs during the whole test session.

    Raises:
        MissingExtra: `dbtcloud[local]` is not installed.
    """
    with _local_dbt_cloud()() as cloud:
        yield cloud


@pytest.fixture
def dbt_cloud(dbt_cloud_server: LocalDbtCloud, monkeypatch: pytest.MonkeyPatch) -> LocalDbtCloud:
    """Return the local dbt Cloud in its initial state, and set the connection `dbt_cloud_default` to it."""
    dbt_cloud_server.control.reset()
    monkeypatch.setenv(CONNECTION_VARIABLE, connection_json(dbt_cloud_server))
    return dbt_cloud_server


@pytest.fixture(scope="session")
def dbt_cloud_session() -> Iterator[LocalDbtCloud]:
    """Return a local dbt Cloud that all tests of a session share without a reset, and set its connection.

    It is a different server from that of `dbt_cloud`. In a test with both fixtures, the connection leads to
    the server of `dbt_cloud`.
    """
    with _local_dbt_cloud()() as cloud, pytest.MonkeyPatch.context() as environment:
        environment.setenv(CONNECTION_VARIABLE, connection_json(cloud))
        yield cloud
