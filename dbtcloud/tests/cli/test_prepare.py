import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.dbt
def test_it_says_what_was_installed_and_where():
    command = [sys.executable, "-m", "dbtcloud.cli", "prepare"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert [line.split()[0] for line in said[-4:-1]] == ["dbt-core", "dbt-duckdb", "duckdb"]
    assert Path(said[-1]).is_file()
