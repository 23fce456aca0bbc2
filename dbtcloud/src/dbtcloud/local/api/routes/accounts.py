"""Accounts, in v2 and v3, and the user of a token."""

from aiohttp import web

from dbtcloud.local.api.responses.definitions import USER, account_json
from dbtcloud.local.api.responses.envelope import data_response, list_response
from dbtcloud.local.api.routes.route import ApiCall, Route
from dbtcloud.local.model.records import AccountRecord
from dbtcloud.local.store.queries import PageQuery


async def _list_accounts(call: ApiCall) -> web.Response:
    """Return all accounts."""
    call.query({})
    store = call.cloud.store
    ids = store.definitions.ids(AccountRecord)
    accounts = [account for id_ in ids if (account := store.definitions.get(AccountRecord, id_))]
    contents = [account_json(account, call.cloud.base_url) for account in accounts]
    return list_response(contents, len(ids), PageQuery(order_by=""), {"pk__in": ids})


async def _get_account(call: ApiCall) -> web.Response:
    """Return one account."""
    call.query({})
    return data_response(account_json(call.account(), call.cloud.base_url))


async def _whoami(call: ApiCall) -> web.Response:
    """Return the user of the token."""
    call.query({})
    return data_response({"user": USER})


_LIMITS = "Plan and limits are invented."

ROUTES = (
    Route("GET", "/api/v2/accounts/", _list_accounts, differs=_LIMITS),
    Route("GET", "/api/v3/accounts/", _list_accounts, differs=_LIMITS),
    Route("GET", "/api/v2/accounts/{account_id}/", _get_account, differs=_LIMITS),
    Route("GET", "/api/v2/whoami/", _whoami, differs="The user is invented, and the same for all tokens."),
)
