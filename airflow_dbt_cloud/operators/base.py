"""The base of the operators that act at once, without following a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_dbt_cloud import lazy
from airflow_dbt_cloud.tasks.template_values import or_none

if TYPE_CHECKING:
    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook


class DbtCloudBaseOperator(BaseOperator):
    """Keep the arguments by which an operator reaches dbt Cloud.

    Args:
        dbt_cloud_conn_id: The connection.
        account_id: The account; the connection's if None.
        hook_params: Further arguments of `DbtCloudHook`.
    """

    def __init__(
        self,
        *,
        dbt_cloud_conn_id: str = "dbt_cloud_default",
        account_id: int | str | None = None,
        hook_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dbt_cloud_conn_id = dbt_cloud_conn_id
        self.account_id = account_id
        self.hook_params = hook_params or {}

    @property
    def hook(self) -> DbtCloudHook:
        """The hook for the connection."""
        hook: DbtCloudHook = lazy.resolve_patched("airflow_dbt_cloud.operators.dbt", "DbtCloudHook")(
            self.dbt_cloud_conn_id, **self.hook_params
        )
        return hook

    def _account(self) -> int | str | None:
        return or_none(self.account_id)
