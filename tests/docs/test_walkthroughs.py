"""The steps on the pages work, each page in a new folder and a process of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dbtcloud import cli
from dbtcloud.core import environment
from dbtcloud.local.config.yaml_file import read_config_file

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = pytest.mark.timeout(600)

BLOCK = re.compile(r'^```(\w+) title="(.*?)"\n(.*?)^```', re.MULTILINE | re.DOTALL)


def titled(page: str) -> dict[str, str]:
    """Return the blocks of a page by title. Blocks with the same title are joined."""
    found: dict[str, str] = {}
    for _, title, text in BLOCK.findall((DOCS / page).read_text()):
        found[title] = "\n\n".join(filter(None, (found.get(title), text)))
    return found


def texts(page: str) -> list[str]:
    """Return the blocks of sample output that have no title."""
    return re.findall(r"^```text\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def shell(tmp_path):
    """A function that runs commands in an empty folder and returns the exit code and the output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])

    def run(commands: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-ec", commands],
            cwd=tmp_path,
            env=kept | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=200,
            check=False,
        )
        return done.returncode, done.stdout

    return run


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_the_tests_that_are_shown_pass(shell, tmp_path):
    page = "how-to/test-your-dags.md"
    files = {title: text for title, text in titled(page).items() if title.endswith(".py")}
    write(tmp_path, files)
    commands = re.search(r"^```sh\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)

    code, output = shell(commands[1])

    assert code == 0, output
    assert f"{files['tests/test_nightly.py'].count('def test_')} passed" in output


@pytest.fixture
def my_project(tmp_path, monkeypatch):
    """A dbt project on a machine with no settings, and with the dbt environments that other tests use."""
    made = environment.data_home() / "dbt"
    made.mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "dbt").symlink_to(made)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    project = tmp_path / "my_project"
    output = {"type": "duckdb", "path": "my.duckdb", "threads": 4}
    profiles = {"mine": {"target": "dev", "outputs": {"dev": output, "prod": output}}}
    files = {
        "dbt_project.yml": "name: mine\nprofile: mine\n",
        "profiles.yml": json.dumps(profiles),
        "models/bread.sql": "select 250 as heat\n",
    }
    write(project, files)
    return project


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return str(taken.getsockname()[1])


@pytest.mark.dbt
@pytest.mark.parametrize("page", ["../README.md", "how-to/local-dbt-cloud.md"])
def test_three_commands_run_your_own_project(shell, my_project, page):
    port, cache = free_port(), my_project.parent / "cache"
    setup = f"export DBTCLOUD_HOME={cache}\n"
    shown = titled(page)["your own project"].replace(":8580", f":{port}")
    lines = [line for line in shown.splitlines() if not line.startswith("pip ") and "--stop" not in line]
    commands = "\n".join(lines).replace("--background", f"--background --port {port}")
    try:
        code, output = shell(setup + commands)
        assert code == 0, output
        assert '"cause": "first"' in output
        address = f"http://127.0.0.1:{port}/api/v2/accounts/1/runs/?job_definition_id=1"
        asking = f"curl -s -H 'Authorization: Token my-token' '{address}'"
        waiting = f"until {asking} | grep -q '\"is_complete\": true'; do read -rt 0.2 <> <(:) || :; done"
        code, output = shell(f"{waiting}\n{asking}")
        assert '"is_success": true' in output, output
        assert (my_project / "my.duckdb").exists()
    finally:
        code, output = shell(f"{setup}dbtcloud serve --project-dir my_project --stop")
    assert (code, output) == (0, f"Stopped the local dbt Cloud on http://127.0.0.1:{port}.\n")


def test_the_configuration_file_on_the_page_can_be_read(tmp_path):
    name = "local-dbt-cloud.yml"
    write(tmp_path, {name: titled("how-to/local-dbt-cloud.md")[name]})

    declared = read_config_file(tmp_path / name)

    assert [job.name for job in declared.projects[0].jobs] == ["Nightly"]
    assert len(declared.projects) == 2


def test_the_command_line_accepts_the_commands_of_the_container(shell):
    text = (DOCS / "how-to" / "local-dbt-cloud.md").read_text()
    recipe = re.search(r"^```dockerfile\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1]
    command = re.search(r"^CMD (\[.*?\])", recipe, re.MULTILINE | re.DOTALL)[1].replace("\\\n", "")
    prepare = re.search(r"^RUN dbtcloud (.*)$", recipe, re.MULTILINE)[1]

    cli._parser().parse_args(prepare.split())
    assert cli._parser().parse_args(json.loads(command)[1:]).project_dir == Path("/project")


@pytest.fixture
def served(tmp_path):
    """The lines that the tutorial's server prints until it is ready."""
    command = titled("tutorial.md")["terminal 1: serve"].split()
    # The tutorial's port may be taken on this machine.
    process = subprocess.Popen(
        [Path(sys.executable).parent / command[0], *command[1:], "--port", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if line.startswith("Ctrl-C"):
            break
    yield lines
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)


def same_in_each_run(text: str) -> str:
    """Return the text without ids, seconds and repeated spaces, which differ from run to run."""
    return " ".join(re.sub(r"\b7040310000000\d\b|\d+\.\d\d s", "#", text).split())


@pytest.mark.dbt
def test_the_tutorial_runs_a_job_and_then_a_failing_one(shell, served, tmp_path):
    blocks = titled("tutorial.md")
    name = "tutorial-airflow/dags/first_run.py"
    write(tmp_path, {name: blocks[name]})
    connection = next(line for line in served if line.startswith("export "))
    prepare = blocks["terminal 2: prepare"].replace(". .venv-tutorial/bin/activate", connection)

    code, output = shell(prepare + blocks["terminal 2: run"])

    assert code == 0, output
    address = served[0].rpartition(" ")[2]
    for line in texts("tutorial.md")[1].splitlines():
        assert line.replace("http://127.0.0.1:8580", address) in output

    write(tmp_path, {name: blocks[name].replace("job_id=1", "job_id=4")})
    code, output = shell(prepare + blocks["terminal 2: run"])

    assert code != 0
    for line in texts("tutorial.md")[2].splitlines():
        assert line in output
    shown = titled("../README.md")["A failed run in the task's log"].replace("http://127.0.0.1:8580", address)
    logged = same_in_each_run(output)
    for line in filter(None, (line.strip("… ") for line in shown.splitlines())):
        assert same_in_each_run(line) in logged
