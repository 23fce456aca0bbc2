import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.dbt
def test_prepare_prints_the_versions_and_the_path():
    command = [sys.executable, "-m", "dbtcloud.cli", "prepare"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert [line.split()[0] for line in said[-4:-1]] == ["dbt-core", "dbt-duckdb", "duckdb"]
    assert Path(said[-1]).is_file()
