"""The hook's verbs for the Discovery API, which describes models, tests, sources and their runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_dbt_cloud.hooks.connection.base import DbtCloudBaseHook
from dbtcloud.client import discovery


class DiscoveryVerbs(DbtCloudBaseHook):
    """Queries the Discovery API.

    Its address is the connection's Discovery URL, or derived from the host. The token needs the permission
    set Metadata Only, or one that includes it (dbt docs: "Query the Discovery API").
    """

    def run_discovery_query(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run a GraphQL query and return its `data`.

        Args:
            query: The query's text, such as `query ($id: BigInt!) { environment(id: $id) { … } }`.
            variables: Its variables, by name.

        Raises:
            DbtCloudApiException: If it is refused, in whole or in part. Its `error` has GraphQL's `errors`
                and the `data` that came with them.
        """
        return self._call(discovery.query(query, variables))

    def list_discovery_nodes(
        self,
        query: str,
        connection: str,
        variables: Mapping[str, Any] | None = None,
        page_size: int = discovery.MAX_PAGE_SIZE,
    ) -> list[dict[str, Any]]:
        """Read all pages of a connection and return its nodes.

        Args:
            query: A query with the variables `$first: Int` and `$after: String`, used by the connection, that
                asks for `pageInfo { hasNextPage endCursor }` and `edges { node { … } }`.
            connection: Where in the answer it is, such as "environment.applied.models".
            variables: The query's other variables.
            page_size: Nodes for each request, 500 at most.

        Raises:
            DbtCloudApiException: As `run_discovery_query` does, and if the answer has no such connection.
        """
        return self._call(discovery.nodes(query, connection, variables, page_size=page_size))
