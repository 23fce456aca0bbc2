import subprocess
import sys
from importlib.metadata import entry_points

import dbtcloud
from dbtcloud.cli import main


def test_the_console_script_is_this_function():
    [script] = entry_points(group="console_scripts", name="dbtcloud")

    assert script.load() is main


def test_the_version_is_printed():
    command = [sys.executable, "-m", "dbtcloud.cli", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert said == f"dbtcloud {dbtcloud.__version__}\n"


def test_the_usage_is_printed_without_a_command():
    command = [sys.executable, "-m", "dbtcloud.cli"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: dbtcloud")


def test_the_command_line_imports_neither_airflow_nor_the_server():
    code = "import sys, dbtcloud.cli; print({'airflow', 'aiohttp', 'requests'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said == "set()\n"
