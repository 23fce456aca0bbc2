"""The option `--all`, and without it no test that is marked `extensive`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--all`."""
    parser.addoption("--all", action="store_true", help="run the tests that are marked `extensive`, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out extensive tests unless all are asked for."""
    if config.getoption("--all"):
        return
    left_out = [item for item in items if item.get_closest_marker("extensive")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
