"""Credentials in one object, and the clients that it makes."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, overload

from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.protocol import Id
from dbtcloud.client.shown_text import shown_value
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.network_settings import Transport
from dbtcloud.resources.administrative_client import AdministrativeClient, AsyncAdministrativeClient
from dbtcloud.resources.base.credential_sources import find_credentials
from dbtcloud.resources.base.engines import ClientOptions
from dbtcloud.resources.metadata import AsyncMetadataClient, MetadataClient


class DbtCloudCredentials:
    """The token, the account and the host of a dbt Cloud account. Neither `repr` nor errors show the token.

    Arguments and methods have the names of prefect-dbt's credentials. What is not given comes from the
    environment or from `~/.dbt/dbt_cloud.yml`, all of it from the same place.

    Args:
        api_key: A service token or personal access token.
        account_id: The account, a number.
        domain: The Access URL of the account, such as "ab123.us1.dbt.com".
        transport: Network settings.

    Raises:
        CredentialsMissing: If the token or the host is neither given nor found.
        InvalidArgument: If a value cannot be used.
    """

    def __init__(
        self,
        api_key: str | None = None,
        account_id: Id | None = None,
        domain: str | None = None,
        *,
        transport: Transport | None = None,
    ) -> None:
        self._credentials = find_credentials(api_key, account_id, domain, transport=transport)

    @classmethod
    def from_env(cls) -> Self:
        """Return the credentials that the environment or `~/.dbt/dbt_cloud.yml` names.

        Raises:
            CredentialsMissing: If none does. The message names every place that was searched.
        """
        return cls()

    @classmethod
    def wrap(cls, credentials: Credentials) -> Self:
        """Return the same credentials with the methods of this class."""
        made = cls.__new__(cls)
        made._credentials = credentials  # noqa: SLF001 -- its own
        return made

    @property
    def api_key(self) -> str:
        """The token."""
        return self._credentials.token

    @property
    def account_id(self) -> int | None:
        """The account, or None if none is known."""
        account_id = self._credentials.account_id
        return None if account_id is None else int(account_id)

    @property
    def domain(self) -> str:
        """The address of the account, such as "https://ab123.us1.dbt.com"."""
        return self._credentials.base_url

    def __repr__(self) -> str:
        shown = f"api_key='***', account_id={self.account_id!r}, domain={self.domain!r}"
        return self._credentials.mask(f"{type(self).__name__}({shown})")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DbtCloudCredentials) and other._credentials == self._credentials

    def __hash__(self) -> int:
        return hash((self.api_key, self.account_id, self.domain))

    def get_administrative_client(self) -> DbtCloudAdministrativeClient:
        """Return what opens a client: in `with` one that blocks, in `async with` one for the event loop."""
        return DbtCloudAdministrativeClient(ClientOptions(credentials=self._credentials))

    def get_metadata_client(self) -> MetadataClient:
        """Return a client of the Discovery API, which returns whole answers (see `MetadataClient`)."""
        return MetadataClient(self._credentials)

    def get_async_metadata_client(self) -> AsyncMetadataClient:
        """Return the same client for an event loop."""
        return AsyncMetadataClient(self._credentials)

    @overload
    def get_client(self, client_type: Literal["administrative"]) -> DbtCloudAdministrativeClient: ...
    @overload
    def get_client(self, client_type: Literal["metadata"]) -> MetadataClient: ...
    def get_client(
        self, client_type: Literal["administrative", "metadata"]
    ) -> DbtCloudAdministrativeClient | MetadataClient:
        """Return the client of that type.

        Raises:
            InvalidArgument: If there is no such type.
        """
        if client_type == "administrative":
            return self.get_administrative_client()
        if client_type == "metadata":
            return self.get_metadata_client()
        raise InvalidArgument(
            f"There is no client of the type {shown_value(client_type)}",
            fix="Use 'administrative' or 'metadata'",
        )


class DbtCloudAdministrativeClient:
    """Opens a client of the Admin API, and closes it at the end of the block.

    In `with`, its calls return; in `async with`, they are awaited.

    Args:
        options: The credentials, and how requests are sent.
    """

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._open: AdministrativeClient | None = None
        self._open_on_loop: AsyncAdministrativeClient | None = None

    def _check_unopened(self) -> None:
        if self._open is not None or self._open_on_loop is not None:
            raise InvalidArgument(
                "The administrative client is open already",
                why="One object opens one client at a time, which its block closes",
                fix="Call get_administrative_client() for each block, or share the client of one block",
            )

    def __enter__(self) -> AdministrativeClient:
        self._check_unopened()
        self._open = AdministrativeClient.from_options(self._options)
        return self._open

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        client, self._open = self._open, None
        if client is not None:
            client.close()

    async def __aenter__(self) -> AsyncAdministrativeClient:
        self._check_unopened()
        self._open_on_loop = AsyncAdministrativeClient.from_options(self._options)
        return self._open_on_loop

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        client, self._open_on_loop = self._open_on_loop, None
        if client is not None:
            await client.close()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if not hasattr(AdministrativeClient, name):
                raise AttributeError(name)
            block = "with credentials.get_administrative_client() as client:"
            raise AttributeError(f"Open the client first: {block} client.{name}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._options.credentials!r}>"
