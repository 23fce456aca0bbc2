import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import requests

from served import Serving, log_of, processes_in, refusal, run_job, run_of, serve, wait_for


def test_the_output_has_all_that_airflow_needs():
    with serve("--memory") as served:
        connection = served.connection

        assert served.lines[0] == f"The local dbt Cloud is running on {connection['host']}"
        assert "\n".join(served.lines).count(connection["password"]) == 1
        assert connection["conn_type"] == "dbt_cloud"
        assert served.get("/_local/health").status_code == 200
        assert served.get(f"/api/v2/accounts/{connection['login']}/jobs/").status_code == 200
        assert served.get("/api/v2/accounts/1/jobs/", token="wrong").status_code == 401


@pytest.mark.parametrize(
    ("options", "variables"),
    [(["--token", "dough"], {}), ([], {"DBTCLOUD_TOKEN": "dough"})],
    ids=["option", "variable"],
)
def test_a_given_token_is_used_and_not_printed(options, variables):
    with serve("--memory", *options, **variables) as served:
        assert "dough" not in "\n".join(served.lines)
        assert served.connection["password"] == "<your token>"
        assert served.get("/api/v2/accounts/1/jobs/", token="dough").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_server_cleanly(number):
    with serve("--memory") as served:
        assert served.end(number) == 0
        assert served.lines[-1] == "Stopped."


def test_a_port_in_use_is_an_error_of_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = refusal("serve", "--memory", "--port", str(port))

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert f"Port {port} on 127.0.0.1 is in use" in ended.stderr
    assert "--port" in ended.stderr


def test_a_public_address_without_a_given_token_is_refused():
    ended = refusal("serve", "--memory", "--host", "0.0.0.0")

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "--token" in ended.stderr


@pytest.mark.parametrize("port", ["65536", "-1", "http"])
def test_an_invalid_port_is_refused(port):
    ended = refusal("serve", f"--port={port}")

    assert ended.returncode == 2
    assert f"'{port}' is not a port; give a number from 0 to 65535" in ended.stderr


@pytest.mark.parametrize("absent", ["filelock", "platformdirs"])
def test_a_missing_extra_is_an_error_at_the_start(absent):
    code = (
        f"import sys; sys.modules[{absent!r}] = None\n"
        "from dbtcloud.cli import main\n"
        "sys.exit(main(['serve', '--port', '0', '--memory']))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "pip install 'dbtcloud[local]'" in ended.stderr


def background(*options: str) -> subprocess.CompletedProcess[str]:
    return refusal("serve", "--background", "--port", "0", *options)


def test_a_background_server_runs_until_it_is_stopped(home):
    started = background("--token", "dough")
    try:
        assert started.returncode == 0, started.stderr
        url = started.stdout.splitlines()[0].rpartition(" ")[2]
        assert requests.get(f"{url}/_local/health", timeout=5).status_code == 200
        folder = home / "cache" / "local"
        note = json.loads((folder / "server.json").read_text())
        assert (note["url"], psutil.Process(note["pid"]).is_running()) == (url, True)
        assert folder.stat().st_mode & 0o077 == 0, "others on this machine may read it"
        assert "dough" not in started.stdout + (folder / "server.log").read_text() + json.dumps(note)
        again = background()
        assert (again.returncode, url in again.stderr, "--stop" in again.stderr) == (1, True, True)
    finally:
        stopped = refusal("serve", "--stop")
    assert (stopped.returncode, stopped.stdout) == (0, f"Stopped the local dbt Cloud on {url}.\n")
    assert not psutil.pid_exists(note["pid"])
    assert not (folder / "server.json").exists()


def test_a_generated_token_is_printed_once_and_stored_nowhere(home):
    started = background("--memory")
    try:
        connection = Serving(None, started.stdout.splitlines()).connection
        assert started.stdout.count(connection["password"]) == 1
        kept = [path.read_text() for path in home.rglob("server.*")]
        assert len(kept) == 2
        assert connection["password"] not in "".join(kept)
        answer = Serving(None, started.stdout.splitlines()).get("/api/v2/accounts/1/jobs/")
        assert answer.status_code == 200
    finally:
        assert refusal("serve", "--stop", "--memory").returncode == 0


@pytest.mark.parametrize("state", ["--data-dir=state", "--memory"])
def test_the_link_of_a_background_server_opens_its_pages(home, state, monkeypatch):
    monkeypatch.chdir(home)
    (home / "state").mkdir(mode=0o755)
    started = background(state)
    try:
        assert started.returncode == 0, started.stderr
        printed = re.search(r"http://\S+/\?code=\S+", started.stdout)[0]
        another = refusal("serve", "--link", state)
        assert another.returncode == 0, another.stderr
        for link in (printed, another.stdout.strip()):
            with requests.Session() as browser:
                assert "No job has run yet" in browser.get(link, timeout=5).text
            with requests.Session() as browser:
                assert browser.get(link, timeout=5).status_code == 401, "a link works once"
        readable = [path.name for path in (home / "state").iterdir() if path.stat().st_mode & 0o077]
        assert readable == []
    finally:
        assert refusal("serve", "--stop", state).returncode == 0
    ended = refusal("serve", "--link", state)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "No local dbt Cloud is running with the folder" in ended.stderr


@pytest.mark.dbt
def test_hints_of_a_background_server_reach_the_terminal(oven):
    output = {"type": "duckdb", "path": "{{ env_var('OVEN_FILE') }}"}
    (oven / "profiles.yml").write_text(json.dumps({"oven": {"outputs": {"dev": output}}}))
    options = ("--memory", "--project-dir", str(oven))
    started = background(*options)
    try:
        starting, hint = started.stderr.splitlines()
    finally:
        assert refusal("serve", "--stop", *options).returncode == 0
    assert starting.startswith("Starting in the background.")
    assert "reads the environment variable OVEN_FILE, which is not passed to dbt" in hint
    assert started.stdout.startswith("The local dbt Cloud is running on")


def test_the_error_of_a_stop_without_a_server_says_what_to_do(home):
    ended = refusal("serve", "--stop")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert f"No local dbt Cloud is running with the folder {home / 'cache' / 'local'}" in ended.stderr


def test_a_pid_file_of_a_killed_server_is_ignored(home):
    folder = home / "cache" / "local"
    folder.mkdir()
    (folder / "server.json").write_text(json.dumps({"pid": os.getpid(), "started": 1.0, "url": "http://x"}))
    assert "No local dbt Cloud is running with the folder" in refusal("serve", "--stop").stderr


def test_an_error_in_the_background_is_printed_in_the_foreground(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = refusal("serve", "--background", "--port", port)
    assert ended.returncode == 1
    starting, said = ended.stderr.splitlines()
    assert starting.startswith("Starting in the background. Log file:")
    assert said.startswith(f"dbtcloud: Port {port} on 127.0.0.1 is in use")


PROFILE = ("profiles.yml", "stove: {outputs: {dev: {type: duckdb}}}")


@pytest.mark.parametrize(
    ("options", "file", "said"),
    [
        (["--project-dir", "nowhere"], None, "There is no dbt project in"),
        (["--project-dir", "oven"], PROFILE, "The profile 'oven' of"),
        (["--project-dir", "oven", "--dbt-version", "1.4"], None, "dbt 1.4 is not supported"),
        (["--project-dir", "oven", "--adapter", "dbt-oven; rm"], None, "is not the name of a package"),
        (["--project-dir", "oven", "--keep-artifacts", "plenty"], None, "'plenty' is not a size"),
        (["--git", "file:///nowhere.git"], None, "The project could not be fetched"),
        (["--config", "nowhere.yml"], None, "The file nowhere.yml cannot be read"),
        (
            ["--config", "oven/c.yml"],
            ("c.yml", "projcts: []"),
            "unknown key 'projcts'. Its keys are projects",
        ),
    ],
)
def test_an_invalid_project_is_an_error_without_a_traceback(oven, monkeypatch, options, file, said):
    monkeypatch.chdir(oven.parent)
    if file:
        (oven / file[0]).write_text(file[1])
    ended = refusal("serve", "--port", "0", "--memory", *options)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert said in ended.stderr


def test_a_missing_token_is_an_error_before_anything_is_fetched(oven):
    file = oven / "c.yml"
    token = {"variable": "RUNNER_TOKEN", "permission_sets": ["job_runner"]}
    file.write_text(json.dumps({"tokens": [token], "projects": [{"git": "file:///nowhere.git"}]}))
    ended = background("--config", str(file))
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[1].startswith(
        "dbtcloud: The environment variable RUNNER_TOKEN is not set"
    )


@pytest.mark.dbt
def test_the_error_for_an_unknown_adapter_has_the_output_of_the_installer(oven):
    ended = refusal("serve", "--memory", "--project-dir", str(oven), "--adapter", "dbt-no-such-oven")
    assert ended.returncode == 1
    assert "The dbt environment could not be created" in ended.stderr
    assert "dbt-no-such-oven" in ended.stderr


def test_an_option_of_a_project_needs_the_project(home):
    ended = refusal("serve", "--branch", "main")
    assert ended.returncode == 2
    assert "--branch needs --project-dir or --git" in ended.stderr


@pytest.mark.dbt
def test_a_project_has_an_environment_and_a_job_for_each_target(oven):
    with serve("--project-dir", str(oven), "--token", "dough") as served:
        jobs = served.get("/api/v2/accounts/1/jobs/", "dough").json()["data"]
        assert [(job["name"], job["settings"]["threads"]) for job in jobs] == [
            ("Build", 2),
            ("Build prod", 2),
        ]
        run_id = run_job(served, 2, "dough")
        wait_for(lambda: run_of(served, run_id, "dough")["is_complete"])
        assert run_of(served, run_id, "dough")["is_success"]
    assert (oven / "prod.duckdb").exists()
    assert not list(oven.parent.glob("cache/local-oven-*/environments/*/profile"))


@pytest.mark.dbt
def test_a_stop_ends_dbt_and_keeps_its_results(tmp_path: Path):
    with serve("--data-dir", str(tmp_path)) as served:
        run_id = run_job(served, 2)
        wait_for(lambda: "START sql table model prod.oven_endurance" in log_of(tmp_path, run_id))
        assert processes_in(tmp_path)
        assert served.end(signal.SIGTERM) == 0

    assert not processes_in(tmp_path)
    with serve("--data-dir", str(tmp_path)) as served:
        run = served.get(f"/api/v2/accounts/1/runs/{run_id}/").json()["data"]
        assert run["is_cancelled"]


@pytest.mark.parametrize(("option", "count"), [([], 0), (["--schedules"], 24)])
def test_schedules_are_followed_with_the_option(option, count):
    job = {"name": "Hourly", "pretend": {}, "schedule": {"cron": "0 * * * *"}, "triggers": {"schedule": True}}
    with serve("--memory", *option) as served:
        url = served.connection["host"]
        headers = {"Authorization": f"Token {served.connection['password']}"}
        seeded = requests.post(f"{url}/_local/seed", json={"jobs": [job]}, headers=headers, timeout=10)
        (job_id,) = seeded.json()["jobs"]
        requests.post(f"{url}/_local/clock", json={"advance": 86_400}, headers=headers, timeout=10)
        runs = served.get(f"/api/v2/accounts/1/runs/?job_definition_id={job_id}").json()["data"]
    assert len(runs) == count
