"""Request bodies: JSON, or either kind of form."""

import json
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.body_schema import BodySchema, read_form


async def read_body(request: web.Request, schema: BodySchema) -> Any:
    """Return the content of the body. An empty body is an empty object.

    Args:
        request: the request.
        schema: the types of the fields, to which the texts of a form are converted.

    Raises:
        ApiException: 400: the body is not JSON.
    """
    body = await request.read()
    if request.content_type == "application/x-www-form-urlencoded":
        form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        return read_form(schema, form)
    if request.content_type == "multipart/form-data":
        return read_form(schema, _parts(request.headers["Content-Type"], body))
    try:
        content = json.loads(body) if body.strip() else {}
        json.dumps(content, ensure_ascii=False).encode()  # a lone surrogate cannot be stored
    except (ValueError, RecursionError) as error:
        raise ApiException.bad_request(f"JSON parse error - {error}") from None
    return content


def _parts(content_type: str, body: bytes) -> dict[str, list[str]]:
    message = message_from_bytes(
        b"Content-Type: " + content_type.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body
    )
    form: dict[str, list[str]] = {}
    for part in message.walk():
        name, content = part.get_param("name", header="Content-Disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            form.setdefault(name, []).append(content.decode("utf-8", "replace"))
    return form
