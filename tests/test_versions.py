"""A dbtcloud of another version than the provider is refused in one line, and only where it is used."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import airflow_dbt_cloud
import dbtcloud

PUBLIC = ["hooks.dbt", "operators.dbt", "sensors.dbt", "triggers.dbt"]
MINE = airflow_dbt_cloud.__version__


@pytest.fixture(scope="module")
def other_dbtcloud(tmp_path_factory):
    """A folder with a whole dbtcloud of another version."""
    folder = tmp_path_factory.mktemp("other")
    source = Path(dbtcloud.__file__).parent
    shutil.copytree(source, folder / "dbtcloud", ignore=shutil.ignore_patterns("local", "__pycache__"))
    module = folder / "dbtcloud" / "version.py"
    module.write_text(module.read_text().replace(f'"{MINE}"', '"9.9.9"'))
    return folder


@pytest.fixture
def run(tmp_path):
    def in_process(code, *path):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "AIRFLOW_HOME": str(tmp_path),
        }
        command = [sys.executable, "-W", "ignore", "-c", code]
        return subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return in_process


def test_both_have_the_same_version():
    assert dbtcloud.__version__ == MINE
    airflow_dbt_cloud.require_same_version()


@pytest.mark.parametrize("module", PUBLIC)
def test_another_version_is_refused_in_one_line_that_says_what_to_do(run, other_dbtcloud, module):
    code = (
        "import dbtcloud\n"
        "try:\n"
        f"    import airflow_dbt_cloud.{module}\n"
        "except ImportError as error:\n"
        "    print(dbtcloud.__version__, type(error).__name__, error, sep='|')\n"
    )
    done = run(code, other_dbtcloud)
    assert done.stdout.splitlines()[-1] == (
        f"9.9.9|ImportError|airflow-dbt-cloud {MINE} needs dbtcloud {MINE}, but dbtcloud 9.9.9 is installed. "
        "Run `pip install ./dbtcloud .` in a checkout of airflow-dbt-cloud."
    ), done.stderr


def test_without_dbtcloud_the_line_says_so(run, tmp_path):
    """A folder `dbtcloud` is imported as an empty namespace, as in a checkout of this repository."""
    (tmp_path / "dbtcloud").mkdir()
    code = (
        "import sys\n"
        "sys.path[:] = [folder for folder in sys.path if 'dbtcloud/src' not in folder]\n"
        "sys.path.insert(0, '.')\n"
        "import airflow_dbt_cloud.operators.dbt"
    )
    done = run(code, Path(airflow_dbt_cloud.__file__).parent.parent)
    assert (
        f"ImportError: airflow-dbt-cloud {MINE} needs dbtcloud {MINE}, but none is installed." in done.stderr
    )


@pytest.mark.parametrize(
    "code",
    [
        "import airflow_dbt_cloud",
        "from airflow_dbt_cloud.get_provider_info import get_provider_info; get_provider_info()",
        "import dbtcloud.testing",
    ],
)
def test_what_airflow_and_pytest_always_import_never_raises(run, other_dbtcloud, code):
    done = run(f"{code}; import dbtcloud; print(dbtcloud.__version__)", other_dbtcloud)
    assert (done.returncode, done.stdout.split()[-1:]) == (0, ["9.9.9"]), done.stderr
