"""The Discovery API: metadata of models, tests and sources by GraphQL, over the same protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_dbt_cloud.client.errors import BadRequest
from airflow_dbt_cloud.client.protocol import Call, Request, ask, envelope


def query(text: str, variables: Mapping[str, Any] | None = None) -> Call[dict[str, Any]]:
    """Ask a GraphQL query and return its `data`.

    Raises:
        BadRequest: If the answer names errors; their messages are in `user_message`.
    """
    request = Request(
        "POST", "/graphql", body={"query": text, "variables": dict(variables or {})}, service="discovery"
    )
    body = envelope(request, (yield from ask(request)))
    if body.get("errors"):
        said = "; ".join(str(error.get("message", error)) for error in body["errors"])
        raise BadRequest(200, "POST", "/graphql", user_message=said)
    return dict(body["data"] or {})
