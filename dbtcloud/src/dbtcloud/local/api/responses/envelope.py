"""dbt Cloud's envelope: `status`, `data`, and `extra` on lists."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.store.interface import PageQuery


def data_response(data: Any, code: int = 200) -> web.Response:
    """Answer 200, or 201 for what has just been created, with one object or whatever the endpoint gives."""
    return _json({"status": _status(code, "Success!", ""), "data": data}, code)


def list_response(
    data: Sequence[Any], total: int, page: PageQuery, filters: Mapping[str, Any]
) -> web.Response:
    """Answer 200 with one page of a list, the filters as they were understood, and the totals."""
    extra = {
        "filters": {"limit": page.limit, "offset": page.offset, **filters},
        "order_by": page.order_by or None,
        "pagination": {"count": len(data), "total_count": total},
    }
    return _json({"status": _status(200, "Success!", ""), "data": data, "extra": extra}, 200)


def webhook_response(
    data: Any, code: int = 200, *, extra: Mapping[str, Any] = {}, status: Mapping[str, Any] = {}
) -> web.Response:
    """Answer as webhooks do: with no more than a code in the status, unless `status` has more to say."""
    body = {"data": data, "status": {"code": code, **status}, **({"extra": extra} if extra else {})}
    return _json(body, code)


def error_response(refusal: ApiException) -> web.Response:
    """Answer with an error envelope."""
    status = _status(refusal.code, refusal.user_message, refusal.developer_message)
    return _json({"status": status, "data": refusal.data, "extra": {}, "error_code": None}, refusal.code)


def detail_response(code: int, detail: str) -> web.Response:
    """Answer as Django REST framework does by itself, outside the envelope."""
    return _json({"detail": detail}, code)


class NoResponse(web.Response):
    """Stands for the answer on a connection that was reset: nothing of it is sent."""


def _status(code: int, user_message: str, developer_message: str | None) -> dict[str, Any]:
    return {
        "code": code,
        "is_success": code < 400,
        "user_message": user_message,
        "developer_message": developer_message,
    }


def _json(body: Any, code: int) -> web.Response:
    return web.Response(body=json.dumps(body).encode(), status=code, content_type="application/json")
