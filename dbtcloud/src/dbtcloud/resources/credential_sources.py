"""Find the credentials of a client: given, in the environment, or in a file."""

from __future__ import annotations

from dbtcloud.client.protocol import Id, identifier
from dbtcloud.client.transport.address import base_url
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.network_settings import Transport


def find_credentials(
    token: str | None = None,
    account_id: Id | None = None,
    host: str | None = None,
    *,
    transport: Transport | None = None,
) -> Credentials:
    """Return the credentials for what is given.

    Raises:
        InvalidArgument: If a value cannot be used.
    """
    account = None if account_id is None else identifier(account_id, "account id")
    assert token
    assert host
    return Credentials(
        base_url=base_url(host), token=token, account_id=account, transport=transport or Transport()
    )
