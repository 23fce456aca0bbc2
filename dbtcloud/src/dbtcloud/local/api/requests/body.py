"""Request bodies: JSON, or either kind of form, whose numbers and truth values are read from their text."""

import json
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from dbtcloud.local.model.api_errors import bad_request
from dbtcloud.local.model.body_schema import BodySchema, read_form


async def read_body(request: web.Request, fields: BodySchema) -> Any:
    """Return the body's content; an empty one is an empty object.

    Args:
        request: the request.
        fields: the fields' types, which tell how a form's texts are read.

    Raises:
        ApiException: 400 for what is not JSON.
    """
    body = await request.read()
    if request.content_type == "application/x-www-form-urlencoded":
        form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        return read_form(fields, form)
    if request.content_type == "multipart/form-data":
        return read_form(fields, _parts(request.headers["Content-Type"], body))
    try:
        content = json.loads(body) if body.strip() else {}
        json.dumps(content, ensure_ascii=False).encode()  # half of a character cannot be written anywhere
    except (ValueError, RecursionError) as error:
        raise bad_request(f"JSON parse error - {error}") from None
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
