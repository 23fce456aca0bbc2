"""Carries out the client's calls over an Airflow connection, on a worker and on an event loop."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException

from airflow_dbt_cloud.exceptions import airflow_exception
from airflow_dbt_cloud.hooks.connection import credentials as connection_credentials
from airflow_dbt_cloud.hooks.connection.request_retry import RequestRetry
from airflow_dbt_cloud.hooks.connection.session import KeptSessionHook
from dbtcloud.client.errors import DbtCloudError, InvalidArgument
from dbtcloud.client.paging import list_rows
from dbtcloud.client.protocol import Call, Request, Response, T, ask
from dbtcloud.client.retry import RetryDecision
from dbtcloud.client.transport.sync_client import run_call, send_with_requests

if TYPE_CHECKING:
    import requests
    from airflow.sdk import Connection

    from dbtcloud.client.transport.async_client import AsyncClient
    from dbtcloud.client.transport.credentials import Credentials
    from dbtcloud.resources.client import DbtCloudClient
    from dbtcloud.resources.credentials import DbtCloudCredentials

# Held while a hook reads its connection again: several threads that read a list share one hook.
_REREAD_LOCK = threading.Lock()


class as_airflow_exceptions:  # noqa: N801 -- reads as what the block does
    """Turns the client's errors into the exceptions that Airflow users catch, for a `with` block."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DbtCloudError):
            raise airflow_exception(error) from error


class DbtCloudBaseHook(KeptSessionHook):
    """A hook that carries out calls for the account of its connection."""

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
        self._decision = RequestRetry(retry_limit, retry_delay, retry_args).decision()
        self._read_at = 0.0

    @cached_property
    def connection(self) -> Connection:
        """The Airflow connection, read once.

        Raises:
            DbtCloudApiException: If it holds no token.
        """
        return self._with_token(self.get_connection(self.dbt_cloud_conn_id))

    def _with_token(self, conn: Connection) -> Connection:
        with as_airflow_exceptions():
            connection_credentials.check_token(conn, self.dbt_cloud_conn_id)
        return conn

    @cached_property
    def _credentials(self) -> Credentials:
        credentials = self._read(self.connection)
        self._read_at = time.monotonic()
        return credentials

    def credentials(self) -> DbtCloudCredentials:
        """Return the connection's credentials for the client of dbtcloud, with its network settings.

        Raises:
            DbtCloudApiException: If the connection cannot be used.
        """
        from dbtcloud.resources.credentials import DbtCloudCredentials

        return DbtCloudCredentials.wrap(self._with_checked_account())

    def client(self) -> DbtCloudClient:
        """Return a client of the connection's account, which sends nothing before its first call.

        Its methods raise the errors of `dbtcloud.errors`, and send a request again as this hook does. Close
        it, or use it in a `with` block.

        Raises:
            DbtCloudApiException: If the connection cannot be used.
        """
        from dbtcloud.resources.base.engines import ClientOptions
        from dbtcloud.resources.client import DbtCloudClient

        options = ClientOptions(credentials=self._with_checked_account(), retry=self._decision)
        return DbtCloudClient.from_options(options)

    def _with_checked_account(self) -> Credentials:
        if self._credentials.account_id is not None:
            self.default_account_id(self._credentials)
        return self._credentials

    def _read(self, conn: Connection) -> Credentials:
        try:
            return connection_credentials.credentials(conn, conn.extra_dejson, self.timeout_seconds)
        except DbtCloudError as error:
            raise airflow_exception(error) from error

    def _has_new_credentials(self, refused: Credentials) -> bool:
        """Return whether the connection has changed since these were refused.

        The new credentials are used from then on.
        """
        with _REREAD_LOCK:
            # At most every ten seconds: a token that stays wrong must not cost Airflow a lookup per request.
            may_read = time.monotonic() - self._read_at >= connection_credentials.REREAD_INTERVAL
            # Another thread may have read the connection while this one waited for the lock.
            if self._credentials is refused and may_read:
                self._read_at = time.monotonic()
                try:
                    conn = self._with_token(self.get_connection(self.dbt_cloud_conn_id))
                    self._credentials, self.connection = self._read(conn), conn
                except AirflowException as error:
                    self.log.warning("Could not read connection %r again: %s", self.dbt_cloud_conn_id, error)
        return self._credentials != refused

    async def _fetch_credentials(self) -> Credentials:
        if "_credentials" not in vars(self):
            self._credentials = await self.read_credentials()
        return self._credentials

    async def read_credentials(self) -> Credentials:
        """Read the connection as it is now, without blocking the event loop.

        Raises:
            DbtCloudApiException: If the connection cannot be used.
        """
        from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson

        try:
            conn = self._with_token(await get_async_connection(self.dbt_cloud_conn_id, hook=self))
        except ImportError:  # Airflow 3.1 can do this inside tasks and triggers only
            conn = self._with_token(await asyncio.to_thread(self.get_connection, self.dbt_cloud_conn_id))
        with as_airflow_exceptions():
            return connection_credentials.credentials(
                conn, await get_async_extra_dejson(conn), self.timeout_seconds
            )

    def use_credentials(self, credentials: Credentials) -> None:
        """Use credentials that another hook has read from the same connection."""
        self._credentials = credentials

    def _resolve_account_id(self) -> int:
        return self.default_account_id(self._credentials)

    async def _resolve_account_id_async(self) -> int:
        return self.default_account_id(await self._fetch_credentials())

    def default_account_id(self, credentials: Credentials) -> int:
        """Return the account id of the connection.

        Raises:
            DbtCloudApiException: If it names none, or something that is not a number.
        """
        try:
            if credentials.account_id is None:
                raise InvalidArgument(
                    f"No account was named, and connection {self.dbt_cloud_conn_id!r} names none",
                    fix="Give account_id, or put the account's number into the connection's field Account ID",
                )
            return int(connection_credentials.account_number(credentials))
        except DbtCloudError as error:
            raise airflow_exception(error) from error

    def _call(
        self,
        call: Call[T],
        on_response: Callable[[Response], object] = bool,
        decision: RetryDecision | None = None,
    ) -> T:
        """Carry out a call on the worker, and give `on_response` each response."""
        try:
            return run_call(call, self._send, retry=decision or self._decision, on_response=on_response)
        except DbtCloudError as error:
            if "_credentials" in vars(self):
                error.mask(self._credentials.mask)
            raise airflow_exception(error) from error

    def _answers(self, call: Call[Any]) -> list[requests.Response]:
        """Return the responses that a call received, which the call itself has checked."""
        answers: list[requests.Response] = []
        self._call(call, lambda response: answers.append(response.raw))
        return answers

    def _answer(self, call: Call[Any]) -> requests.Response:
        return self._answers(call)[-1]

    def _send(self, request: Request) -> Response:
        credentials = self._credentials
        answer = send_with_requests(credentials, request, lambda: self._run(request, credentials))
        if answer.status == HTTPStatus.UNAUTHORIZED and self._has_new_credentials(credentials):
            return self._send(request)  # safe also for a POST: a request that is not let in does nothing
        if request.accept == "application/json":
            answer.raw.encoding = "utf-8"  # as it was read; a header may name another
        return answer

    def _run(self, request: Request, credentials: Credentials) -> requests.Response:
        self.method = request.method
        answer: requests.Response = self.run(
            endpoint=credentials.url(request),
            data=content.decode() if (content := request.content) else None,
            headers=credentials.headers(request),
            extra_options={"check_response": False, "stream": request.sink is not None},
        )
        return answer

    def _run_and_get_response(
        self,
        *,
        method: str = "GET",
        endpoint: str | None = None,
        payload: str | dict[str, Any] | None = None,
        paginate: bool = False,
        api_version: str = "v2",
    ) -> Any:
        """Send a request below `accounts/`: how plugins reach endpoints that have no verb.

        Args:
            method: "GET" or "POST".
            endpoint: Path after `accounts/`, such as "1/runs/".
            payload: The query of a GET; the body of a POST, as a dict or as JSON text.
            paginate: Whether to read all pages; a list of responses is returned then.
            api_version: "v2" or "v3".
        """
        with as_airflow_exceptions():
            request = Request.custom(method, endpoint or "", _decoded(payload), api_version)
        return self._answers(list_rows(request, dict)) if paginate else self._answer(ask(request))

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[AsyncClient]:
        """Return an asynchronous client that is open for as long as the block lasts."""
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
        why = "It is not an object"
    if not isinstance(decoded, dict | None):
        raise InvalidArgument(
            "The payload cannot be sent", why=why, fix="Give a dict, or a JSON object as text"
        )
    return decoded
