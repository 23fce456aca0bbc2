"""The recipes for web frameworks, a script and a notebook work over a real socket."""

import hashlib
import hmac
import json

import pytest

from recipe_program import RECIPES
from small_artifacts import run_results

RESULTS = {"run_results.json": run_results("1b9f")}
STEPS = [{"name": "Invoke dbt with `dbt build`", "command": "dbt build"}]


@pytest.fixture
def job(dbt_cloud):
    """A job whose simulated runs succeed at once."""
    dbt_cloud.control.seed(
        jobs=[{"id": 70, "name": "Nightly", "pretend": {"steps": STEPS, "artifacts": RESULTS}}]
    )
    return dbt_cloud


def test_django_lists_projects_by_pages_and_triggers_a_job(job, site, fetch):
    job.control.seed(projects=[{"id": 100 + n, "name": f"Project {n}"} for n in range(24)])
    settings = {
        "DBT_BASE_URL": f"{job.url}/api",
        "DBT_TOKEN": job.token,
        "DBT_ACCOUNT_ID": str(job.account_id),
    }
    start = ("django_site.py", "runserver", "--noreload", "127.0.0.1:PORT")
    with site(*start, **settings) as address:
        status, _, body = fetch(f"{address}/projects/?page=2")
        assert (status, json.loads(body)["pages"]) == (200, 2)
        assert len(json.loads(body)["results"]) == json.loads(body)["count"] - 20

        status, _, body = fetch(f"{address}/jobs/70/run/", b'{"cause": "From a form"}')
        assert status == 201
        assert job.control.counters()["runs_created"] == 1

        assert fetch(f"{address}/jobs/999/run/", b"{}")[0] == 404
        for refused in (400, 422):
            job.control.add_fault("status", status=refused, route="*/projects/*", count=1)
            assert fetch(f"{address}/projects/")[0] == refused
        job.control.add_fault("status", status=429, route="*/projects/*", retry_after=120, count=1)
        status, headers, body = fetch(f"{address}/projects/")
        assert (status, headers["Retry-After"]) == (429, "120")
        assert job.token not in body


def test_fastapi_runs_a_job_and_takes_only_true_webhooks(job, site, fetch):
    secret = "made-up-secret"
    event = {
        "accountId": 1,
        "webhookId": "wsu_1",
        "eventId": "wev_1",
        "eventType": "job.run.completed",
        "timestamp": "2026-01-31T19:29:35.789265936Z",
        "webhookName": "test",
        "data": {"jobId": "70", "runId": "7", "runStatus": "Success", "runStatusCode": 10},
    }
    body = json.dumps(event).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    start = ("-m", "uvicorn", "fastapi_app:app", "--port", "PORT", "--log-level", "warning")
    with site(*start, DBT_CLOUD_WEBHOOK_SECRET=secret) as address:
        assert json.loads(fetch(f"{address}/projects")[2])[0]["name"] == "Sample bakery"
        status, _, answer = fetch(f"{address}/jobs/70/runs", b"")
        run_id = json.loads(answer)["run_id"]
        assert status == 201
        assert json.loads(fetch(f"{address}/runs/{run_id}")[2])["run_id"] == run_id
        assert fetch(f"{address}/runs/5")[0] == 404

        hook = f"{address}/webhooks/dbt-cloud"
        assert json.loads(fetch(hook, body, Authorization=signature)[2]) == {"finished_runs": [7]}
        assert fetch(hook, body, Authorization="0" * 64)[0] == 401
        assert fetch(hook, body)[0] == 401


def test_the_script_prints_each_node(job, run):
    done = run("web", RECIPES / "script.py", "Nightly")
    assert done.returncode == 0, done.stderr
    assert "success" in done.stdout
    assert "Success" in done.stdout.splitlines()[-1]


def test_the_script_says_what_is_wrong(job, run):
    done = run("web", RECIPES / "script.py", "Nightli")
    assert done.returncode == 1
    assert "Nightli" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_notebook_shows_the_result_as_a_table(job, run, tmp_path):
    code = (
        "import nbformat, sys; from nbclient import NotebookClient\n"
        "notebook = nbformat.read(sys.argv[1], 4)\n"
        "NotebookClient(notebook, timeout=60).execute()\n"
        "print(notebook.cells[1].outputs[-1]['data']['text/html'])\n"
        "print(notebook.cells[2].outputs[-1]['data']['text/plain'])\n"
    )
    done = run("web", "-c", code, RECIPES / "notebook.ipynb")
    assert done.returncode == 0, done.stderr
    assert "<table" in done.stdout
    assert "'success'" in done.stdout


def test_opentelemetry_gets_a_span_of_each_request(job, run):
    code = (
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor\n"
        "provider = TracerProvider()\n"
        "provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))\n"
        "trace.set_tracer_provider(provider)\n"
        "from opentelemetry_spans import client\n"
        "client.jobs.get(70)\n"
    )
    source = f"{RECIPES}:{RECIPES.parent / 'dbtcloud' / 'src'}"
    done = run("web", "-c", code, PYTHONPATH=source)
    assert done.returncode == 0, done.stderr
    span = json.loads(done.stdout)
    assert span["name"] == "GET /api/v2/accounts/1/jobs/70/"
    assert span["attributes"]["http.response.status_code"] == 200
    assert job.token not in done.stdout
