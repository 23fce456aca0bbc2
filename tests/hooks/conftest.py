"""Hooks over connections that tests write, and the three ways in which a hook meets the network."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from dbtcloud.local.server.in_thread import LocalDbtCloud
from dbtcloud.testing import CONNECTION_VARIABLE

TOKEN = "dbtc_a-token-for-tests"


@pytest.fixture(autouse=True)
def _plain_environment(plain_environment: None) -> None:
    """No test of the hook meets this machine's proxies and certificates."""


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., DbtCloudHook]]:
    """Makes hooks over connections of these fields; `cloud` gives host and token."""
    made: list[DbtCloudHook] = []

    def make(
        cloud: LocalDbtCloud | None = None,
        *,
        kind: type[DbtCloudHook] = DbtCloudHook,
        options: dict[str, Any] | None = None,
        **fields: Any,
    ) -> DbtCloudHook:
        where = {"host": cloud.url, "password": cloud.token} if cloud else {"password": TOKEN}
        connection = {"conn_type": "dbt_cloud", "login": "1", **where, **fields}
        monkeypatch.setenv(CONNECTION_VARIABLE, json.dumps(connection))
        made.append(kind(**{"retry_delay": 0.001, **(options or {})}))
        return made[-1]

    yield make
    for hook in made:
        hook.close()


@pytest.fixture
def hook(dbt_cloud: LocalDbtCloud, connect: Callable[..., DbtCloudHook]) -> DbtCloudHook:
    """A hook for the local dbt Cloud."""
    return connect(dbt_cloud)


Way = Callable[[DbtCloudHook], Any]


def _on_the_worker(hook: DbtCloudHook) -> Any:
    return hook.get_job_run_status(7)


def _on_a_loop(hook: DbtCloudHook) -> Any:
    return asyncio.run(hook.get_job_status(7))


def _artifacts(hook: DbtCloudHook) -> Any:
    asyncio.run(hook.get_job_run_artifacts_concurrently(7, ["run_results.json"]))
    return 10


@pytest.fixture(params=[_on_the_worker, _on_a_loop, _artifacts], ids=["worker", "loop", "artifacts"])
def status_of_run_7(request: pytest.FixtureRequest) -> Way:
    """Reads run 7, or an artifact of it, and answers 10."""
    way: Way = request.param
    return way


@pytest.fixture
def with_run_7() -> Callable[[LocalDbtCloud], LocalDbtCloud]:
    """Gives a local dbt Cloud a run with the id 7 that has succeeded."""

    def seed(cloud: LocalDbtCloud) -> LocalDbtCloud:
        cloud.control.reset()
        pretend = {"outcome": 10, "artifacts": {"run_results.json": {"results": []}}}
        cloud.control.seed(
            jobs=[{"id": 70, "name": "Nightly", "pretend": pretend}], runs=[{"job_id": 70, "id": 7}]
        )
        return cloud

    return seed
