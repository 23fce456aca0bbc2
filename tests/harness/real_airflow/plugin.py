"""The fixture `airflow`, and the order of tests: those that need a running Airflow come together, and last.

Where several processes share the tests, one begins with those, and the others take the rest file by file.
That Airflow ends with the last of its tests: its processes never rest, and would slow down all that follows.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from dbtcloud.local.server.in_thread import LocalDbtCloud
from dbtcloud.testing import CONNECTION_VARIABLE, connection_json
from postgres_server import NoPostgresError, database
from real_airflow.instance import RealAirflow
from real_airflow.settings import Settings

PROJECT = Path(__file__).parents[3]
LAST = {"airflow": 1, "browser": 2}
RUNNING = ExitStack()
"""Ends the Airflow of this process."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of tests/airflow and tests/browser by their folder, and put them where they belong."""
    for item in items:
        for folder in LAST:
            if item.path.is_relative_to(PROJECT / "tests" / folder):
                item.add_marker(folder)
    shared = hasattr(config, "workerinput")
    items.sort(key=lambda item: _place(item) or (len(LAST) + 1) * shared)


def _place(item: pytest.Item) -> int:
    return max((LAST.get(marker.name, 0) for marker in item.iter_markers()), default=0)


class ByNeed(LoadScopeScheduling):
    """Gives the tests that share a running Airflow to one process, and of others each file to one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "airflow" if file.startswith(tuple(f"tests/{folder}/" for folder in LAST)) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByNeed:
    """Share tests out by what they need."""
    return ByNeed(config, log)


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalDbtCloud]:
    """The local dbt Cloud that the connection `dbt_cloud_default` of the fixture `airflow` leads to."""
    with LocalDbtCloud() as running:
        yield running


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory, cloud: LocalDbtCloud) -> Iterator[RealAirflow]:
    """A real Airflow on PostgreSQL with the example DAGs and those of tests/airflow/dags."""
    home = tmp_path_factory.mktemp("airflow")
    folders = (PROJECT / "example_dags", PROJECT / "tests" / "airflow" / "dags")
    present = tuple(folder for folder in folders if folder.is_dir())
    with RUNNING:
        try:
            url = RUNNING.enter_context(database())
        except NoPostgresError as error:
            pytest.skip(str(error))
        settings = Settings(home, url, present, {CONNECTION_VARIABLE: connection_json(cloud)})
        yield RUNNING.enter_context(RealAirflow(settings))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End the running Airflow with the last test that needs it, where others follow."""
    if nextitem is not None and _place(item) and not _place(nextitem):
        RUNNING.close()
