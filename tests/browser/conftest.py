"""A browser for the tests of this folder."""

from collections.abc import Iterator

import pytest

from real_airflow import RealAirflow
from real_airflow.browser import Web, browsing, chromium


@pytest.fixture(scope="module")
def web(airflow: RealAirflow) -> Iterator[Web]:
    """Airflow's pages in Chromium; of a module, since Playwright's event loop would disturb others' tests."""
    with browsing(airflow, chromium() or "") as opened:
        yield opened


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip this folder's tests, before an Airflow is started for them, where there is no Chromium."""
    if chromium():
        return
    missing = pytest.mark.skip(reason="no Chromium on PATH: install it (Debian: apt-get install chromium)")
    for item in items:
        if item.path.is_relative_to(__file__.removesuffix("/conftest.py")):
            item.add_marker(missing)
