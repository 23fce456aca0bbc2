"""JSON responses, most of them in dbt Cloud's envelope: `status`, `data`, and `extra` on lists."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.store.queries import PageQuery


def json_response(body: Any, code: int) -> web.Response:
    """Return a response with a JSON body, without an envelope."""
    return web.Response(body=json.dumps(body).encode(), status=code, content_type="application/json")


def data_response(data: Any, code: int = 200) -> web.Response:
    """Return a 200, or a 201 for a new object, with the endpoint's data."""
    return json_response({"status": _status(code, "Success!", ""), "data": data}, code)


def list_response(
    data: Sequence[Any], total: int, page: PageQuery, filters: Mapping[str, Any]
) -> web.Response:
    """Return a 200 with one page of a list, the filters that were applied, and the totals."""
    extra = {
        "filters": {"limit": page.limit, "offset": page.offset, **filters},
        "order_by": page.order_by or None,
        "pagination": {"count": len(data), "total_count": total},
    }
    return json_response({"status": _status(200, "Success!", ""), "data": data, "extra": extra}, 200)


def error_response(error: ApiException) -> web.Response:
    """Return an error in the envelope."""
    status = _status(error.code, error.user_message, error.developer_message)
    return json_response({"status": status, "data": error.data, "extra": {}, "error_code": None}, error.code)


def _status(code: int, user_message: str, developer_message: str | None) -> dict[str, Any]:
    return {
        "code": code,
        "is_success": code < 400,
        "user_message": user_message,
        "developer_message": developer_message,
    }
