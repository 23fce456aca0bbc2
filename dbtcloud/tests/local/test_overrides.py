"""What a trigger, a job and its variables ask for is what dbt really does."""

import json

import pytest

from dbtcloud.local.server.in_thread import LocalDbtCloud

pytestmark = pytest.mark.dbt

MODEL = """
{{ config(materialized="table") }}
select
  '{{ target.name }}' as target, '{{ target.schema }}' as schema, {{ target.threads }} as threads,
  '{{ env_var("DBT_FLOUR") }}' as flour, '{{ env_var("DBT_CLOUD_RUN_ID") }}' as run
"""
SLOW = """{{ config(materialized="table") }}
select count(*) from range(3000000) a, range(3000000) b where hash(a.range, b.range) = 0
"""
SOURCES = {
    "version": 2,
    "sources": [
        {
            "name": "mill",
            "schema": "main",
            "loaded_at_field": "ground_at",
            "freshness": {"error_after": {"count": 1, "period": "day"}},
            "tables": [{"name": "sacks"}],
        }
    ],
}


@pytest.fixture(scope="module")
def bakery(tmp_path_factory):
    """A dbt project that tells what it was given, and can be slow."""
    project = tmp_path_factory.mktemp("bakery")
    (project / "models").mkdir()
    (project / "dbt_project.yml").write_text("name: oven\nprofile: any\n")
    (project / "models" / "asked.sql").write_text(MODEL)
    (project / "models" / "slow.sql").write_text(SLOW)
    (project / "models" / "sources.yml").write_text(json.dumps(SOURCES))
    return project


@pytest.fixture(scope="module")
def server(bakery):
    with LocalDbtCloud() as server:
        seeded = {
            "projects": [{"id": 5, "name": "Oven", "project_dir": str(bakery)}],
            "environments": [{"id": 50, "name": "Oven", "project_id": 5}],
            "jobs": [{"id": 500, "name": "Bake", "project_id": 5, "environment_id": 50}],
        }
        server.control.seed(**seeded)
        yield server


@pytest.fixture
def ran(server, client_of, eventually):
    """Start a run of the job and return it once it has ended."""
    client = client_of(server)

    def run(**body):
        started = client.start(500, **body)["id"]
        eventually(lambda: client.get(f"runs/{started}/")["is_complete"], 120)
        return client, client.get(f"runs/{started}/", include_related="run_steps,trigger")

    return run


def test_every_override_reaches_dbt(ran, server, client_of):
    client = client_of(server)
    variables = "/api/v3/accounts/1/projects/5/environment-variables/"
    for owner in (
        {"type": "project", "raw_value": "rye"},
        {"type": "job", "job_definition_id": 500, "raw_value": "oat"},
    ):
        assert client.ask(variables, "POST", json={"name": "DBT_FLOUR", **owner}).status_code == 201
    show = "dbt show --select asked --output json"
    client, run = ran(
        schema_override="tryout",
        target_name_override="night",
        threads_override=3,
        steps_override=["dbt run --select asked", show],
        generate_docs_override=True,
    )
    assert (run["status"], run["has_docs_generated"]) == (10, True)
    names = [step["name"] for step in run["run_steps"]]
    commands = ["dbt run --select asked", show, "dbt docs generate"]
    assert names[2:] == [f"Invoke dbt with `{command}`" for command in commands]
    shown = run["run_steps"][3]["logs"]
    row = json.loads(shown[shown.index("{") : shown.rindex("}") + 1])["show"][0]
    assert {name.lower(): value for name, value in row.items()} == {
        "target": "night", "schema": "tryout", "threads": 3, "flour": "oat", "run": str(run["id"]),
    }  # fmt: skip
    manifest = client.ask(f"runs/{run['id']}/artifacts/manifest.json").json()
    assert manifest["nodes"]["model.oven.asked"]["schema"] == "tryout"
    assert client.ask("jobs/500/artifacts/catalog.json").json()["nodes"]["model.oven.asked"]


def test_a_run_beyond_its_timeout_is_cancelled_and_says_so(ran):
    _, run = ran(timeout_seconds_override=6, steps_override=["dbt run --select slow"])
    assert (run["status"], run["trigger"]["timeout_seconds_override"]) == (30, 6)
    assert run["status_message"] == (
        "This run timed out after running for 6 seconds, which exceeded the configured timeout of 6 seconds."
    )


def test_source_freshness_comes_first_and_may_fail(ran, server, client_of):
    client = client_of(server)
    client.post("jobs/500/", run_generate_sources=True, execute_steps=["dbt compile --select asked"])
    client, run = ran()
    names = [step["name"] for step in run["run_steps"]]
    assert names[2:] == [
        "Invoke dbt with `dbt source freshness`",
        "Invoke dbt with `dbt compile --select asked`",
    ]
    assert [step["status"] for step in run["run_steps"]] == [10, 10, 20, 10]
    assert (run["status"], run["has_sources_generated"]) == (10, True)
    assert client.ask(f"runs/{run['id']}/artifacts/sources.json").status_code == 200


def test_logs_grow_while_a_step_goes_on_and_a_cancel_ends_it(server, client_of, eventually):
    client = client_of(server)
    client.post("jobs/500/", run_generate_sources=False)
    run = client.start(500, steps_override=["dbt run --select slow"])["id"]

    def logs():
        steps = client.get(f"runs/{run}/", include_related="run_steps")["run_steps"]
        return steps[2]["logs"] if len(steps) > 2 else ""

    eventually(lambda: "Running with dbt" in logs(), 60)
    early = logs()
    eventually(lambda: "START sql" in logs(), 60)
    assert logs().startswith(early)
    client.ask(f"runs/{run}/cancel/", "POST")
    eventually(lambda: client.get(f"runs/{run}/")["status"] == 30, 20)
    assert client.get(f"runs/{run}/")["status_message"] == "Cancelled by user."
