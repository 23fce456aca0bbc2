"""The hook for the Discovery API alone."""

from __future__ import annotations

from airflow_dbt_cloud.hooks.connection.base import as_airflow_exceptions
from airflow_dbt_cloud.hooks.verbs.discovery import DiscoveryVerbs
from dbtcloud.client import discovery
from dbtcloud.client.retry import NO_RETRY

_TYPE_NAME = "{ __typename }"


class DbtCloudDiscoveryHook(DiscoveryVerbs):
    """Queries dbt Cloud's metadata over an Airflow connection of the type `dbt_cloud`.

    Its token needs the permission set Metadata Only, or one that includes it, and no other.

    Args:
        dbt_cloud_conn_id: The connection.
        timeout_seconds: Seconds in which an answer has to be complete; the connection's `timeout` if None.
        retry_limit: Attempts for one query; at least four are made.
        retry_delay: Seconds before the second attempt, doubled for each further one.
        retry_args: tenacity's `stop`, `wait` and `retry`, which then decide about single queries.
    """

    conn_name_attr = "dbt_cloud_conn_id"
    conn_type = "dbt_cloud"
    hook_name = "dbt Cloud"

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the Discovery API answers, and what is wrong if it does not."""
        try:
            with as_airflow_exceptions():
                self._call(discovery.query(_TYPE_NAME), decision=NO_RETRY)
        except Exception as error:  # noqa: BLE001 -- the caller shows whatever it was
            return False, str(error)
        return True, f"Connected to the Discovery API of {self._credentials.base_url}."
