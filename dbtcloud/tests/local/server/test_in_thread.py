"""A server in a thread: its start, its stop, its state and its refusals."""

import logging
import os
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import replace

import pytest
import requests

from dbtcloud.local.server.in_thread import LocalDbtCloud, LocalServerError
from dbtcloud.local.server.settings import ServerSettings


def test_a_server_starts_in_less_than_a_second():
    begin = time.monotonic()
    with LocalDbtCloud() as server:
        assert requests.get(f"{server.url}/_local/health/", timeout=5).json() == {"status": "ok"}
    assert time.monotonic() - begin < 1


def test_a_stopped_server_leaves_no_thread_port_or_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(threading.enumerate())
    with LocalDbtCloud() as server:
        port = int(server.url.rsplit(":", 1)[1])
        assert len(list(tmp_path.iterdir())) == 1
    assert set(threading.enumerate()) == before
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_the_server_also_stops_at_the_end_of_the_program(tmp_path):
    program = "from dbtcloud.local.server.in_thread import LocalDbtCloud; LocalDbtCloud().start()"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=30)
    assert list(tmp_path.iterdir()) == []


def test_a_second_stop_is_no_error():
    server = LocalDbtCloud()
    server.stop()
    server.start()
    server.stop()
    server.stop()


def test_the_error_for_a_port_in_use_says_what_to_do():
    with LocalDbtCloud() as server:
        port = int(server.url.rsplit(":", 1)[1])
        with pytest.raises(LocalServerError, match=rf"Port {port} on 127\.0\.0\.1 is in use.*--port"):
            LocalDbtCloud(port=port).start()


def test_an_address_of_another_machine_is_an_error():
    with pytest.raises(LocalServerError, match=r"cannot listen on 192\.0\.2\.1:0"):
        LocalDbtCloud(host="192.0.2.1", token="chosen").start()


def test_a_public_address_requires_a_given_token():
    with pytest.raises(LocalServerError, match="--token"):
        LocalDbtCloud(host="0.0.0.0")


def test_generated_tokens_are_never_shown(caplog):
    caplog.set_level(logging.DEBUG)
    with LocalDbtCloud() as one, LocalDbtCloud() as other:
        requests.get(
            f"{one.url}/api/v2/accounts/", headers={"Authorization": f"Token {one.token}"}, timeout=5
        )
        assert one.token != other.token
        assert len(one.token) > 30
        for shown in (repr(one), repr(ServerSettings(token=one.token)), caplog.text):
            assert one.token not in shown


def test_the_content_of_a_file_outlives_the_server(client_of, tmp_path):
    file = tmp_path / "deeper" / "state.sqlite"
    with LocalDbtCloud(store=file) as server:
        client = client_of(server)
        run = client.start(client.job({"outcome": 20, "message": "It broke."}))["id"]
    with LocalDbtCloud(store=file) as server:
        client = client_of(server)
        assert client.get(f"runs/{run}/")["status_message"] == "It broke."
        assert len(client.get("jobs/")) == 7
        assert client.start(7)["id"] > run
    assert [path.name for path in file.parent.iterdir()] == ["state.sqlite"]


def test_only_the_owner_can_read_the_state(tmp_path):
    with LocalDbtCloud(store=tmp_path / "kept" / "state.sqlite"):
        assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700


def test_only_the_owner_can_read_the_state_in_a_folder_that_others_can_read(tmp_path):
    tmp_path.chmod(0o755)
    with LocalDbtCloud(store=tmp_path / "state.sqlite"):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert set(modes) >= {"state.sqlite"}
    assert set(modes.values()) == {0o600}


def served_to(tmp_path, token, permission_sets):
    server = LocalDbtCloud(token="t", data_dir=tmp_path)
    server._settings = replace(server._settings, grants={token: permission_sets})
    return server


def test_further_tokens_have_their_permission_sets(tmp_path):
    with served_to(tmp_path, "a runner's", ["job_runner"]) as server:
        for path, status in (("jobs/", 200), ("projects/", 403)):
            address = f"{server.url}/api/v2/accounts/1/{path}"
            answer = requests.get(address, headers={"Authorization": "Token a runner's"}, timeout=5)
            assert answer.status_code == status


def test_the_tokens_of_the_settings_stay_after_a_reset(tmp_path):
    with served_to(tmp_path, "a viewer's", ["job_viewer"]) as server:
        server.control.reset()
        address, headers = f"{server.url}/api/v2/accounts/1/jobs/", {"Authorization": "Token a viewer's"}
        assert requests.get(address, headers=headers, timeout=5).status_code == 200


def test_an_unknown_permission_set_is_an_error(tmp_path):
    with pytest.raises(LocalServerError, match=r"Cannot accept a token: .* no permission set baker"):
        served_to(tmp_path, "a baker's", ["baker"]).start()


def test_a_profile_of_a_killed_server_is_deleted(tmp_path):
    profile = tmp_path / "environments" / "1" / "profile" / "profiles.yml"
    profile.parent.mkdir(parents=True)
    profile.write_text("password: s3cret")
    with LocalDbtCloud(data_dir=tmp_path):
        assert not profile.exists()


def test_a_file_of_an_earlier_version_is_upgraded(client_of, tmp_path):
    file = tmp_path / "state.sqlite"
    with LocalDbtCloud(store=file) as server:
        client = client_of(server)
        run = client.start(client.job({"outcome": 10}))["id"]
    with closing(sqlite3.connect(file)) as database:
        for column in ("sources", "dbt_version"):
            database.execute(f"ALTER TABLE runs DROP COLUMN {column}")
    with LocalDbtCloud(store=file) as server:
        client = client_of(server)
        assert client.get(f"runs/{run}/")["dbt_version"] == "latest"
        assert client.start(7)["dbt_version"] == "latest"


def test_webhooks_variables_and_created_definitions_outlive_the_server(client_of, tmp_path):
    file = tmp_path / "state.sqlite"
    v3 = "/api/v3/accounts/1/"
    hook = {"name": "x", "client_url": "http://x.example", "event_types": ["job.run.started"], "active": True}
    variable = {"name": "DBT_FLOUR", "type": "project", "raw_value": "rye"}
    with LocalDbtCloud(store=file) as server:
        client = client_of(server)
        client.ask(f"{v3}webhooks/subscriptions", "POST", json={**hook, "job_ids": [1]})
        client.ask(f"{v3}projects/1/environment-variables/", "POST", json=variable)
        client.ask("jobs/", "POST", json={"name": "Mine", "project_id": 1, "environment_id": 1})
    with LocalDbtCloud(store=file) as server:
        client = client_of(server)
        assert client.get(f"{v3}webhooks/subscriptions")[0]["job_ids"] == ["1"]
        assert "DBT_FLOUR" in client.get(f"{v3}projects/1/environment-variables/environment/")["variables"]
        assert client.get("jobs/7/")["name"] == "Mine"


def test_the_names_of_kinds_in_a_file_do_not_change(client_of, tmp_path):
    file, v3 = tmp_path / "state.sqlite", "/api/v3/accounts/1/"
    hook = {"name": "x", "client_url": "http://x.example", "event_types": ["job.run.started"], "active": True}
    with LocalDbtCloud(store=file) as server:
        client = client_of(server)
        client.ask(f"{v3}webhooks/subscriptions", "POST", json=hook)
        client.control.seed(environment_variables=[{"name": "DBT_FLOUR", "value": "rye"}])
    with closing(sqlite3.connect(file)) as database:
        kinds = {kind for (kind,) in database.execute("SELECT kind FROM definitions")}
    records = {"Account", "Project", "Environment", "Job", "EnvironmentVariable", "WebhookSubscription"}
    assert kinds == records


def test_a_server_with_a_certificate_serves_https(tmp_path):
    import ssl

    import trustme

    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with LocalDbtCloud(ssl_context=context) as server:
        assert server.url.startswith("https://127.0.0.1:")
        answer = requests.get(f"{server.url}/_local/health", verify=str(tmp_path / "ca.pem"), timeout=5)
        assert answer.status_code == 200
        server.control.add_fault("reset")
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{server.url}/api/v2/accounts/", verify=str(tmp_path / "ca.pem"), timeout=5)


def test_the_error_for_a_file_of_another_server_names_it(tmp_path):
    file = tmp_path / "state.sqlite"
    with (
        LocalDbtCloud(store=file),
        pytest.raises(LocalServerError, match=r"Another local dbt Cloud .*state\.sqlite"),
    ):
        LocalDbtCloud(store=file).start()


def test_the_error_for_a_file_of_another_kind_names_it_and_keeps_it(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database, and longer than its header would be" * 9)
    with pytest.raises(LocalServerError, match="not a database"):
        LocalDbtCloud(store=file).start()
    assert file.read_text().startswith("not a database")
