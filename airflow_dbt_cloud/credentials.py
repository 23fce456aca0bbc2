"""The credentials of an Airflow connection, for the client of dbtcloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

if TYPE_CHECKING:
    from dbtcloud.resources.credentials import DbtCloudCredentials


def from_connection(conn_id: str = DbtCloudHook.default_conn_name) -> DbtCloudCredentials:
    """Return the token, the account, the host and the network settings of a dbt Cloud connection.

    Args:
        conn_id: The connection.

    Raises:
        DbtCloudApiException: If the connection cannot be used.
        AirflowNotFoundException: If there is no such connection.
    """
    return DbtCloudHook(conn_id).credentials()
