"""Artifacts: raw bytes, of runs, of steps, of jobs, and never of anything else."""

import http.client
import json

import pytest

from dbtcloud.local.model.run_plan import Outcome
from dbtcloud.local.server.in_thread import LocalDbtCloud

SCRIPT = {
    "running": 10,
    "artifacts": {
        "run_results.json": {"step": "last"},
        "compiled/shop/a.sql": "select 1",
        "steps/2/run_results.json": {"step": 2},
    },
}
RAW = b'{ "as" : "written"\r\n}'


@pytest.fixture
def run(api):
    started = api.start(api.job(SCRIPT))
    api.control.advance(11)
    return started["id"]


@pytest.fixture
def built(client_of, eventually, tmp_path):
    """A run whose executor wrote files, beside a secret that is none of its artifacts."""

    async def write(plan, observer, cancelled):
        for folder in (plan.run_dir / "target" / "compiled", plan.run_dir / "steps" / "2"):
            folder.mkdir(parents=True)
            (folder / "run_results.json").write_bytes(RAW)
        (plan.run_dir / "secret.txt").write_text("secret")
        (plan.run_dir / "target" / "leak.txt").symlink_to(plan.run_dir / "secret.txt")
        observer.starting(), observer.running()
        return Outcome(10, None)

    with LocalDbtCloud(data_dir=tmp_path, execute=write) as server:
        client = client_of(server)
        run = client.start(1)["id"]
        eventually(lambda: client.get(f"runs/{run}/")["status"] == 10)
        yield client, run


def test_a_simulated_run_has_the_artifacts_of_its_script_once_it_has_finished(api):
    run = api.start(api.job(SCRIPT))["id"]
    assert api.get(f"runs/{run}/artifacts/") == []
    assert api.ask(f"runs/{run}/artifacts/run_results.json").status_code == 404
    api.control.advance(11)
    assert api.get(f"runs/{run}/artifacts/") == ["compiled/shop/a.sql", "run_results.json"]
    assert api.ask(f"runs/{run}/artifacts/run_results.json").json() == {"step": "last"}
    assert api.ask(f"runs/{run}/artifacts/compiled/shop/a.sql").text == "select 1"


def test_a_step_is_picked_where_it_wrote_one(api, run):
    assert api.ask(f"runs/{run}/artifacts/run_results.json?step=2").json() == {"step": 2}
    assert api.ask(f"runs/{run}/artifacts/run_results.json?step=1").json() == {"step": "last"}
    assert api.get(f"runs/{run}/artifacts/", step=2) == ["compiled/shop/a.sql", "run_results.json"]


def test_a_job_gives_that_of_its_newest_run_that_has_it(api, run):
    job = api.get(f"runs/{run}/")["job_id"]
    api.start(job)
    assert api.ask(f"jobs/{job}/artifacts/run_results.json").json() == {"step": "last"}
    assert api.ask(f"jobs/{job}/artifacts/sources.json").status_code == 404
    assert api.ask("jobs/999/artifacts/run_results.json").status_code == 404


def test_files_come_byte_for_byte(built):
    client, run = built
    answer = client.ask(f"runs/{run}/artifacts/compiled/run_results.json")
    assert (answer.content, answer.headers["Content-Type"]) == (RAW, "application/json")
    assert client.ask(f"runs/{run}/artifacts/run_results.json?step=2").content == RAW
    assert client.ask(f"runs/{run}/artifacts/run_results.json?step=3").status_code == 404
    assert client.ask(f"runs/{run}/artifacts/compiled/").status_code == 404
    assert "compiled/run_results.json" in client.get(f"runs/{run}/artifacts/")


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "..%2Fsecret.txt",
        "%2e%2e/secret.txt",
        "compiled/../../secret.txt",
        "compiled/%2e%2e%2f%2e%2e%2fsecret.txt",
        "%2Fetc%2Fpasswd",
        "./../secret.txt",
        "..%5Csecret.txt",
        "compiled/run_results.json%00",
        "leak.txt",
    ],
)
@pytest.mark.parametrize("query", ["", "?step=2"])
def test_no_path_leaves_the_folder(built, path, query):
    client, run = built
    host, port = client.server.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    headers = {"Authorization": f"Token {client.server.token}"}
    connection.request("GET", f"/api/v2/accounts/1/runs/{run}/artifacts/{path}{query}", headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 404
    assert json.loads(body)["status"]["code"] == 404


def test_a_name_longer_than_names_can_be_is_no_artifact(client_of, built):
    api, run_id = built
    assert api.ask(f"runs/{run_id}/artifacts/{'a' * 300}").status_code == 404
