"""Accounts, in v2 and v3."""

from aiohttp import web

from airflow_dbt_cloud.local.definition_shapes import account_shape
from airflow_dbt_cloud.local.envelope import found, listed
from airflow_dbt_cloud.local.models import Account
from airflow_dbt_cloud.local.parameters import parse
from airflow_dbt_cloud.local.routes.lookup import account_of, cloud_of
from airflow_dbt_cloud.local.routes.route import Route
from airflow_dbt_cloud.local.store import Page


async def list_accounts(request: web.Request) -> web.Response:
    """Answer with every account that the token may see: all of them."""
    parse(request, {})
    store = cloud_of(request).store
    ids = store.definitions.ids(Account)
    accounts = [account for id_ in ids if (account := store.definitions.get(Account, id_))]
    shapes = [account_shape(account, cloud_of(request).base_url) for account in accounts]
    return listed(shapes, len(ids), Page(order_by=""), {"pk__in": ids})


async def get_account(request: web.Request) -> web.Response:
    """Answer with one account."""
    parse(request, {})
    return found(account_shape(account_of(request), cloud_of(request).base_url))


_LIMITS = "Plan and limits are made up."

ROUTES = (
    Route("GET", "/api/v2/accounts/", list_accounts, differs=_LIMITS),
    Route("GET", "/api/v3/accounts/", list_accounts, differs=_LIMITS),
    Route("GET", "/api/v2/accounts/{account_id}/", get_account, differs=_LIMITS),
)
