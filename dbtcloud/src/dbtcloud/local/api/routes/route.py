"""The entry of a route in the route table, and the call that its handler gets."""

import json
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qs

from aiohttp import web

from dbtcloud.local.api.requests.query import QueryParameters, QuerySchema
from dbtcloud.local.control.control import ControlPlane
from dbtcloud.local.discovery.graphql_endpoint import DiscoveryEndpoint
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
from dbtcloud.local.model.request_body import BodySchema, RequestBody
from dbtcloud.local.orchestration.cloud import Cloud

CLOUD = web.AppKey("cloud", Cloud)
CONTROL = web.AppKey("control", ControlPlane)
DISCOVERY = web.AppKey("discovery", DiscoveryEndpoint)
"""The keys under which the application has what the handlers need."""

_D = TypeVar("_D", ProjectRecord, EnvironmentRecord, JobRecord, EnvironmentVariable)


class ApiCall:
    """A request with what its handler needs: the local dbt Cloud, the objects of the path, query and body.

    Args:
        request: the HTTP request.

    Attributes:
        request: the HTTP request.
        cloud: the local dbt Cloud.
    """

    def __init__(self, request: web.Request) -> None:
        self.request = request
        self.cloud = request.app[CLOUD]

    def path_id(self, name: str) -> int:
        """Return an id of the path, or raise 404 if it is not a number."""
        text = self.request.match_info[name]
        # SQLite has integers of at most 64 bits: nineteen digits may be too many.
        if not (text.isascii() and text.isdigit()) or len(text) > 18:
            raise ApiException.not_found()
        return int(text)

    def account(self) -> AccountRecord:
        """Return the account that the path names, or raise 404."""
        account = self.cloud.store.definitions.get(AccountRecord, self.path_id("account_id"))
        if account is None:
            raise ApiException.not_found()
        return account

    def definition(self, kind: type[_D], name: str) -> _D:
        """Return the definition whose id the path has under `name`, or raise 404.

        A deleted definition and one of another account do not exist.
        """
        account = self.account()
        found = self.cloud.store.definitions.get(kind, self.path_id(name))
        if found is None or found.account_id != account.id or found.state == DELETED:
            raise ApiException.not_found()
        return found

    def environments(self) -> list[EnvironmentRecord]:
        """Return the environments of the project that the path names, or raise 404."""
        definitions, project = self.cloud.store.definitions, self.definition(ProjectRecord, "project_id")
        every = (definitions.get(EnvironmentRecord, id_) for id_ in definitions.ids(EnvironmentRecord))
        return [each for each in every if each and each.project_id == project.id and each.state != DELETED]

    def run(self) -> RunRecord:
        """Return the run that the path names, or raise 404."""
        account = self.account()
        run = self.cloud.store.runs.get(self.path_id("run_id"))
        if run is None or run.account_id != account.id:
            raise ApiException.not_found()
        return run

    def query(self, schema: QuerySchema) -> QueryParameters:
        """Return the query string, or raise 400 for a parameter that is not in the schema.

        A handler without parameters calls this with an empty schema, because dbt Cloud refuses unknown ones.
        """
        return QueryParameters.parse(self.request, schema)

    async def body(self, schema: BodySchema) -> Any:
        """Return the content of the body. An empty body is an empty object.

        Args:
            schema: the types of the fields, to which the texts of a form are converted.

        Raises:
            ApiException: 400: the body is not JSON.
        """
        body = await self.request.read()
        if self.request.content_type == "application/x-www-form-urlencoded":
            return RequestBody.from_form(
                schema, parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
            )
        if self.request.content_type == "multipart/form-data":
            return RequestBody.from_form(schema, _parts(self.request.headers["Content-Type"], body))
        try:
            content = json.loads(body) if body.strip() else {}
            json.dumps(content, ensure_ascii=False).encode()  # a lone surrogate cannot be stored
        except (ValueError, RecursionError) as error:
            raise ApiException.bad_request(f"JSON parse error - {error}") from None
        return content


Handler = Callable[[ApiCall], Awaitable[web.StreamResponse]]


class Route(NamedTuple):
    """An endpoint: method, path, handler, permission, and its difference from dbt Cloud.

    Attributes:
        method: GET, POST, PUT, PATCH or DELETE.
        path: the path, with its closing slash if dbt Cloud's has one. It is served with and without.
        handler: the function that answers.
        needs: the permission that a token must have: a resource of `dbtcloud.local.control.permissions`, and
            `read` or `write`. None if any token suffices.
        differs: how it differs from dbt Cloud, for the coverage page.
    """

    method: str
    path: str
    handler: Handler
    needs: tuple[str, str] | None = None
    differs: str = ""


def _parts(content_type: str, body: bytes) -> dict[str, list[str]]:
    # Multipart bodies have the format of e-mail.
    message = message_from_bytes(
        b"Content-Type: " + content_type.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body
    )
    form: dict[str, list[str]] = {}
    for part in message.walk():
        name, content = part.get_param("name", header="Content-Disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            form.setdefault(name, []).append(content.decode("utf-8", "replace"))
    return form
