"""The objects that a path names: the account, and the object in it."""

from typing import TypeVar

from aiohttp import web

from dbtcloud.local.api.routes.app_keys import CLOUD
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import (
    DELETED,
    AccountRecord,
    EnvironmentRecord,
    EnvironmentVariable,
    JobRecord,
    ProjectRecord,
    RunRecord,
)
from dbtcloud.local.orchestration.cloud import Cloud

_D = TypeVar("_D", ProjectRecord, EnvironmentRecord, JobRecord, EnvironmentVariable)


def cloud_of(request: web.Request) -> Cloud:
    """Return the local dbt Cloud behind a request."""
    return request.app[CLOUD]


def path_id(request: web.Request, name: str) -> int:
    """Return an id of the path, or raise 404 if it is not a number."""
    text = request.match_info[name]
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise ApiException.not_found()
    return int(text)


def account_of(request: web.Request) -> AccountRecord:
    """Return the account that the path names, or raise 404."""
    account = cloud_of(request).store.definitions.get(AccountRecord, path_id(request, "account_id"))
    if account is None:
        raise ApiException.not_found()
    return account


def definition_of(request: web.Request, kind: type[_D], name: str) -> _D:
    """Return the definition that the path names, or raise 404. A deleted one does not exist."""
    account = account_of(request)
    found = cloud_of(request).store.definitions.get(kind, path_id(request, name))
    if found is None or found.account_id != account.id or found.state == DELETED:
        raise ApiException.not_found()
    return found


def run_of(request: web.Request) -> RunRecord:
    """Return the run that the path names, or raise 404."""
    account = account_of(request)
    run = cloud_of(request).store.runs.get(path_id(request, "run_id"))
    if run is None or run.account_id != account.id:
        raise ApiException.not_found()
    return run
