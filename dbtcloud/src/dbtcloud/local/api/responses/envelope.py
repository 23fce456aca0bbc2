"""The envelope of dbt Cloud's answers: `status`, `data`, and `extra` on lists."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.store.queries import PageQuery


def data_response(data: Any, code: int = 200) -> web.Response:
    """Return a 200, or a 201 for a new object, with the endpoint's data."""
    return _json({"status": _status(code, "Success!", ""), "data": data}, code)


def list_response(
    data: Sequence[Any], total: int, page: PageQuery, filters: Mapping[str, Any]
) -> web.Response:
    """Return a 200 with one page of a list, the filters that were applied, and the totals."""
    extra = {
        "filters": {"limit": page.limit, "offset": page.offset, **filters},
        "order_by": page.order_by or None,
        "pagination": {"count": len(data), "total_count": total},
    }
    return _json({"status": _status(200, "Success!", ""), "data": data, "extra": extra}, 200)


def webhook_response(
    data: Any, code: int = 200, *, extra: Mapping[str, Any] = {}, status: Mapping[str, Any] = {}
) -> web.Response:
    """Return an answer of the webhook endpoints, whose status has only a code and what `status` adds."""
    body = {"data": data, "status": {"code": code, **status}, **({"extra": extra} if extra else {})}
    return _json(body, code)


def error_response(error: ApiException) -> web.Response:
    """Return an error in the envelope."""
    status = _status(error.code, error.user_message, error.developer_message)
    return _json({"status": status, "data": error.data, "extra": {}, "error_code": None}, error.code)


def detail_response(code: int, detail: str) -> web.Response:
    """Return an error outside the envelope, as Django REST framework sends by itself."""
    return _json({"detail": detail}, code)


class NoResponse(web.Response):
    """A placeholder for the answer on a connection that was reset. Nothing is sent."""


def _status(code: int, user_message: str, developer_message: str | None) -> dict[str, Any]:
    return {
        "code": code,
        "is_success": code < 400,
        "user_message": user_message,
        "developer_message": developer_message,
    }


def _json(body: Any, code: int) -> web.Response:
    return web.Response(body=json.dumps(body).encode(), status=code, content_type="application/json")
