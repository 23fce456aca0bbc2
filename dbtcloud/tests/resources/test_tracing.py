"""Callbacks of a client: an error in one neither loses an answer nor sends a request again."""

from __future__ import annotations

import pytest

from dbtcloud import DbtCloudClient
from dbtcloud.errors import ServerError
from dbtcloud.testing import LocalDbtCloud


@pytest.mark.parametrize("error", [ValueError("a fault of the callback"), ServerError(503, "GET", "/")])
@pytest.mark.parametrize("name", ["on_request", "on_response"])
def test_callback_error_changes_no_request(dbt_cloud: LocalDbtCloud, name: str, error: Exception) -> None:
    events: list[object] = []

    def fail(event: object) -> None:
        events.append(event)
        raise error

    client = DbtCloudClient(
        dbt_cloud.token,
        dbt_cloud.account_id,
        dbt_cloud.url,
        **{name: fail},  # type: ignore[arg-type]
    )
    with client:
        client.jobs.list().all()
    assert len(events) == 1
