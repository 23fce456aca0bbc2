"""What the tests of packaging share."""

from pathlib import Path

import pytest

from fresh_environment import locked_versions


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The option by which uv and pip install the versions of uv.lock."""
    return "--constraint", locked_versions(tmp_path_factory.mktemp("locked") / "constraints.txt")
