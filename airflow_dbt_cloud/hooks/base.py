"""Carries the client's calls over an Airflow connection, on a worker and on an event loop."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cached_property, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException

from airflow_dbt_cloud.exceptions import airflow_exception
from airflow_dbt_cloud.hooks import request_retry
from airflow_dbt_cloud.hooks.connection import credentials as access
from airflow_dbt_cloud.hooks.connection.session import KeptSessionHook
from dbtcloud.client import endpoints
from dbtcloud.client.errors import DbtCloudError, InvalidArgument
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Json, required_field
from dbtcloud.client.paging import ListPage, Pager, PageRange, list_rows, read_page
from dbtcloud.client.protocol import Call, Request, Response, T, ask, identifier
from dbtcloud.client.retry import RetryDecision
from dbtcloud.client.transport.sync_client import run_call, send_with_requests

if TYPE_CHECKING:
    import requests
    from airflow.sdk import Connection

    from airflow_dbt_cloud.hooks.lists.concurrent_pages import Each
    from dbtcloud.client.polling.poller import RunPoller
    from dbtcloud.client.transport.async_client import AsyncClient
    from dbtcloud.client.transport.credentials import Credentials
    from dbtcloud.report.run_report import RunReport


_RENEWING = threading.Lock()
"""Held while a hook reads its connection anew: the threads of a list share one hook."""


class as_airflow_exceptions:  # noqa: N801 -- reads as what the block does
    """Raise the client's errors as the exceptions that Airflow users catch, from the original."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DbtCloudError):
            raise airflow_exception(error) from error


class DbtCloudBaseHook(KeptSessionHook):
    """A hook that carries out calls for the account of its connection.

    Attributes:
        mark: What the cause of the next run is marked with, so that it can be found; a random one if None.
        poll_interval: Seconds between two looks at a run in an event loop; looks are shared where it is set.
        has_time: Whether a cancel may be insisted on for minutes; a task that is killed has seconds.
        paces_looks: Whether `get_job_status` has itself kept to `poll_interval`.
        shares_with: Only hooks of the same class and connection that have the same here share their looks; of
            a subclass with arguments of its own, what tells its connections apart.
    """

    default_conn_name = "dbt_cloud_default"

    def __init__(
        self,
        dbt_cloud_conn_id: str = default_conn_name,
        timeout_seconds: int | None = None,
        retry_limit: int = 1,
        retry_delay: float = 1.0,
        retry_args: dict[Any, Any] | None = None,
    ) -> None:
        super().__init__()
        self.dbt_cloud_conn_id = self.http_conn_id = dbt_cloud_conn_id
        self.timeout_seconds = timeout_seconds
        self.retry_limit, self.retry_delay, self.retry_args = retry_limit, retry_delay, retry_args
        self._decision = request_retry.decision(retry_limit, retry_delay, retry_args)
        self._insistent = request_retry.insistent(retry_limit, retry_delay, retry_args)
        self._access: Credentials | None = None
        self._read_at = 0.0
        self.mark: Marker | None = None
        self.poll_interval: float | None = None
        self.has_time = True
        self.paces_looks = False
        self._hurried = True
        self.shares_with = ""
        self._told: dict[int, int] = {}
        self._urls: dict[int, str] = {}
        self._poller: RunPoller | None = None
        self._reported: RunReport | None = None

    @cached_property
    def connection(self) -> Connection:
        """The Airflow connection, read once.

        Raises:
            DbtCloudApiException: If it holds no token.
        """
        return self._with_token(self.get_connection(self.dbt_cloud_conn_id))

    def _with_token(self, conn: Connection) -> Connection:
        if conn.password:
            return conn
        missing = InvalidArgument(
            f"An API token is required, and connection {self.dbt_cloud_conn_id!r} has none",
            fix="Put a service token into its field API Token (password)",
        )
        raise airflow_exception(missing)

    def _credentials(self) -> Credentials:
        if self._access is None:
            self._access, self._read_at = self._read(self.connection), time.monotonic()
        return self._access

    def _read(self, conn: Connection) -> Credentials:
        with as_airflow_exceptions():
            return access.credentials(conn, conn.extra_dejson, self.timeout_seconds)

    def _renewed(self, refused: Credentials) -> bool:
        """Whether the connection holds something else by now than what was refused; that is used then."""
        with _RENEWING:
            if self._access is refused and time.monotonic() - self._read_at >= access.RENEWAL:
                self._read_at = time.monotonic()
                try:
                    conn = self._with_token(self.get_connection(self.dbt_cloud_conn_id))
                    self._access, self.connection = self._read(conn), conn
                except AirflowException as error:
                    self.log.warning("Connection %r cannot be read anew: %s", self.dbt_cloud_conn_id, error)
        return self._access != refused

    async def _fetch_credentials(self) -> Credentials:
        if self._access is None:
            self._access = await self.read_credentials()
        return self._access

    async def read_credentials(self) -> Credentials:
        """The credentials as the connection has them now, read in the way that suits an event loop.

        Raises:
            DbtCloudApiException: If the connection cannot be used.
        """
        from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson

        try:
            conn = self._with_token(await get_async_connection(self.dbt_cloud_conn_id, hook=self))
        except ImportError:  # Airflow 3.1 can do this inside tasks and triggers only
            conn = self._with_token(await asyncio.to_thread(self.get_connection, self.dbt_cloud_conn_id))
        with as_airflow_exceptions():
            return access.credentials(conn, await get_async_extra_dejson(conn), self.timeout_seconds)

    def adopt(self, credentials: Credentials, poller: RunPoller | None = None) -> None:
        """Use credentials that another hook has read from the same connection, and a poller's connections."""
        self._access, self._poller = credentials, poller

    def _resolve_account_id(self) -> int:
        return self.own_account(self._credentials())

    async def _resolve_account_id_async(self) -> int:
        return self.own_account(await self._fetch_credentials())

    def own_account(self, credentials: Credentials) -> int:
        """The account that the connection names.

        Raises:
            DbtCloudApiException: If it names none, or something that is no number.
        """
        with as_airflow_exceptions():
            if credentials.account_id is None:
                raise InvalidArgument(
                    f"No account was named, and connection {self.dbt_cloud_conn_id!r} names none",
                    fix="Give account_id, or put the account's number into the connection's field Account ID",
                )
            return int(identifier(credentials.account_id, "account id"))

    def look_at_once(self, run_id: int) -> None:
        """Have the next look at a run in an event loop come at once, and tell whatever it shows."""
        self._hurried = True
        self._told.pop(run_id, None)

    def run_url(self, run_id: int | str) -> str | None:
        """The page of a run that this hook has looked at; None where no look has told it."""
        return self._urls.get(int(run_id))

    def _status_of(self, run_id: int | str, data: Mapping[str, Any]) -> int:
        """The status of a run as it was told, whose page is kept in mind."""
        if href := data.get("href"):
            self._urls[int(run_id)] = href
        status: int = data["status"]
        return status

    def _call(
        self,
        call: Call[T],
        on_response: Callable[[Response], object] = bool,
        decision: RetryDecision | None = None,
    ) -> T:
        """Carry out a call on the worker."""
        with as_airflow_exceptions():
            return run_call(call, self._send, retry=decision or self._decision, on_response=on_response)

    def _answers(self, call: Call[Any]) -> list[requests.Response]:
        """The responses that a call was answered by, checked by it."""
        answers: list[requests.Response] = []
        self._call(call, lambda response: answers.append(response.raw))
        return answers

    def _answer(self, call: Call[Any]) -> requests.Response:
        return self._answers(call)[-1]

    def _pages(self, request: Request, limit: int | None, each: Each | None) -> list[requests.Response]:
        """The pages of a list in order, or none where `each` takes their rows."""
        from airflow_dbt_cloud.hooks.lists.concurrent_pages import hand_over, in_turn

        if each is not None:
            hand_over(Pager(limit), lambda page_range: self._call(read_page(request, page_range)), each)
            return []
        pager = Pager(limit, rereads=0)
        found: list[requests.Response] = []
        while page_ranges := pager.next_ranges():
            for page_range, (page, answer) in in_turn(partial(self._page, request), page_ranges):
                pager.new_rows(page_range, page)
                found.append(answer)
        return found

    def _page(self, request: Request, page_range: PageRange) -> tuple[ListPage, requests.Response]:
        """A page as a response, and of its rows no more than tells them apart."""
        from airflow_dbt_cloud.hooks.lists.concurrent_pages import KeptPage

        answers: list[requests.Response] = []
        page = self._call(read_page(request, page_range), lambda response: answers.append(response.raw))
        rows: list[Json] = [{"id": required_field(row, "id", "row of a list")} for row in page.rows]
        return ListPage(rows, page.total), KeptPage.of(answers[-1])

    def _send(self, request: Request) -> Response:
        credentials = self._credentials()
        answer = send_with_requests(credentials, lambda: self._run(request, credentials), request.sink)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._renewed(credentials):
            return self._send(request)  # nothing was done: whoever asked was not let in
        return answer

    def _run(self, request: Request, credentials: Credentials) -> requests.Response:
        self.method = request.method
        answer: requests.Response = self.run(
            endpoint=credentials.url(request),
            data=request.content.decode() if request.content else None,
            headers=credentials.headers(request),
            extra_options={"check_response": False, "stream": request.sink is not None},
        )
        return answer

    async def _next_status(self, run_id: int, account_id: object, interval: float) -> int:
        """Wait for a status of the run that was not told before; after a fault any is told."""
        from airflow_dbt_cloud.hooks.waiting import shared_poller

        self.paces_looks = True
        known = self._told.pop(run_id, None)
        at_once, self._hurried = self._hurried, False
        with as_airflow_exceptions():
            try:
                run = await shared_poller.next_run(self, run_id, account_id, known, interval, at_once=at_once)
                self._told[run_id] = self._status_of(run_id, run.data)
            except asyncio.CancelledError:
                if known is not None:
                    self._told[run_id] = known
                raise
        return self._told[run_id]

    def _run_and_get_response(
        self,
        *,
        method: str = "GET",
        endpoint: str | None = None,
        payload: str | dict[str, Any] | None = None,
        paginate: bool = False,
        api_version: str = "v2",
    ) -> Any:
        """Send a request below `accounts/`; the way that plugins reach endpoints without a verb of their own.

        Args:
            method: "GET" or "POST".
            endpoint: Path after `accounts/`, such as "1/runs/".
            payload: The query of a GET; the body of a POST, as a dict or as JSON text.
            paginate: Whether to read all pages; a list of responses is returned then.
            api_version: "v2" or "v3".
        """
        with as_airflow_exceptions():
            request = endpoints.custom_request(method, endpoint or "", _decoded(payload), api_version)
        return self._answers(list_rows(request)) if paginate else self._answer(ask(request))

    async def _ask(self, call: Call[T], on_response: Callable[[Response], object]) -> T:
        """Carry out a call on an event loop: over the connections of its looks where those are open."""
        if self._poller is not None:
            with as_airflow_exceptions(), suppress(LookupError):
                return await self._poller.ask(call, on_response)
        async with self._client() as client:
            return await client.ask(call, on_response)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[AsyncClient]:
        """An asynchronous client for as long as the block lasts."""
        from dbtcloud.client.transport.async_client import AsyncClient

        async with AsyncClient(await self._fetch_credentials(), self._decision) as client:
            with as_airflow_exceptions():
                yield client


def _decoded(payload: str | dict[str, Any] | None) -> dict[str, Any] | None:
    try:
        decoded = json.loads(payload) if isinstance(payload, str) and payload else payload or None
    except ValueError as error:
        decoded, why = "", str(error)
    else:
        why = "It is no object"
    if not isinstance(decoded, dict | None):
        raise InvalidArgument(
            "The payload cannot be sent", why=why, fix="Give a dict, or a JSON object as text"
        )
    return decoded
