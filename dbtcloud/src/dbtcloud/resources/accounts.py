"""The accounts that the token can read."""

from __future__ import annotations

from dbtcloud.client import endpoints
from dbtcloud.client.models import Account
from dbtcloud.client.paging import rows_of
from dbtcloud.client.protocol import Call, Id, Request
from dbtcloud.resources.base.faces import F, Resource, listing, operation
from dbtcloud.resources.base.pages import Listing


class Accounts(Resource[F]):
    """The accounts that the token can read (API v3, "Accounts")."""

    @listing
    def list(self) -> Listing[Account]:
        """List the accounts (API v3, "List Accounts"). They come in one answer."""
        return Listing(Request("GET", "/api/v3/accounts/"), Account.parse, rows=rows_of)

    @operation
    def get(self, account_id: Id | None = None) -> Call[Account]:
        """Get an account (API v2, "Retrieve Account").

        Args:
            account_id: The account; that of the client if None.

        Raises:
            NotFound: If there is no such account.
            DbtCloudError: If the request fails.
        """
        return (yield from endpoints.get_account(self._account_id if account_id is None else account_id))
