"""Request bodies: JSON, or a form whose numbers and truth values are read from their text."""

import json
from typing import Any

from aiohttp import web

from airflow_dbt_cloud.local.errors import invalid


async def read_body(request: web.Request) -> Any:
    """Return the body's content; an empty one is an empty object.

    Raises:
        Refusal: 400 for what is not JSON.
    """
    if request.content_type == "application/x-www-form-urlencoded":
        form = await request.post()
        return {name: _field(name, [str(value) for value in form.getall(name)]) for name in form}
    body = await request.read()
    try:
        return json.loads(body) if body.strip() else {}
    except ValueError as error:
        raise invalid(f"JSON parse error - {error}") from None


def _field(name: str, texts: list[str]) -> Any:
    if name == "steps_override":
        return texts
    if name.endswith("_id") or name in {"threads_override", "timeout_seconds_override"}:
        return int(texts[-1]) if texts[-1].isdigit() else texts[-1]
    if name == "generate_docs_override":
        return {"true": True, "false": False}.get(texts[-1].lower(), texts[-1])
    return texts[-1]
