"""dbt-cloud-cli 0.9.1 works against the local dbt Cloud."""

import json

import pytest

pytestmark = [pytest.mark.contract, pytest.mark.timeout(600)]

DBT_CLOUD = "dbt-cloud"


@pytest.fixture
def cli(client, server):
    return client(
        "dbt-cloud-cli",
        DBT_CLOUD_HOST=f"localhost:{server.url.rpartition(':')[2]}",
        DBT_CLOUD_API_TOKEN=server.token,
        DBT_CLOUD_ACCOUNT_ID="1",
        DBT_CLOUD_PROJECT_ID="1",
    )


def test_a_job_is_run_and_waited_for_and_its_artifacts_are_fetched(cli, refused):
    run = cli.data(DBT_CLOUD, "job", "run", "--job-id", "70", "--cause", "By contract", "--wait")

    assert (run["status"], run["is_success"], run["job_definition_id"]) == (10, True, 70)
    names = cli.data(DBT_CLOUD, "run", "list-artifacts", "--run-id", str(run["id"]))
    assert names == ["catalog.json", "manifest.json", "run_results.json"]
    path = ("--path", "manifest.json", "--file", "manifest.json")
    cli.run(DBT_CLOUD, "run", "get-artifact", "--run-id", str(run["id"]), *path)
    assert "model.shop.orders" in json.loads((cli.folder / "manifest.json").read_text())["nodes"]
    assert refused() == []


def test_a_failed_run_is_told_by_the_exit_code(cli):
    printed = cli.run(DBT_CLOUD, "job", "run", "--job-id", "72", "--wait", ends=1)

    assert json.loads(printed)["data"]["status_humanized"] == "Error"


def test_runs_are_read_and_cancelled(cli, refused):
    run_id = cli.data(DBT_CLOUD, "job", "run", "--job-id", "71")["id"]

    related = ("--include-related", "job", "--include-related", "trigger")
    run = cli.data(DBT_CLOUD, "run", "get", "--run-id", str(run_id), *related)
    assert (run["job"]["name"], run["trigger"]["cause"]) == ("Endless", "Triggered via API")
    running = cli.data(DBT_CLOUD, "run", "list", "--status", "Running", "--job-id", "71")
    assert [run["id"] for run in running] == [run_id]
    assert cli.data(DBT_CLOUD, "run", "cancel", "--run-id", str(run_id))["is_cancelled"]
    assert refused() == []


def test_a_job_is_exported_imported_and_deleted(cli, refused):
    cli.run(DBT_CLOUD, "job", "export", "--job-id", "1", "--file", "job.json")

    copy = cli.data(DBT_CLOUD, "job", "import", "--file", "job.json")
    assert copy["id"] != 1
    assert copy["execute_steps"] == cli.data(DBT_CLOUD, "job", "get", "--job-id", "1")["execute_steps"]
    cli.run(DBT_CLOUD, "job", "delete", "--job-id", str(copy["id"]))
    assert copy["id"] not in [job["id"] for job in cli.data(DBT_CLOUD, "job", "list")]
    assert refused() == []


def test_a_job_is_created_from_options(cli):
    steps = ("--execute-steps", '["dbt build", "dbt docs generate"]')
    job = cli.data(DBT_CLOUD, "job", "create", "--name", "Made", "--environment-id", "2", *steps)

    assert (job["environment_id"], job["execute_steps"]) == (2, ["dbt build", "dbt docs generate"])


@pytest.mark.parametrize(
    ("kind", "name"), [("account", "Local"), ("project", "Sample bakery"), ("environment", "Production")]
)
def test_definitions_are_listed_and_got(cli, kind, name):
    which = ("--environment-id", "1") if kind == "environment" else ()

    assert cli.data(DBT_CLOUD, kind, "list")[0]["name"] == name
    assert cli.data(DBT_CLOUD, kind, "get", *which)["name"] == name


def test_discovery_is_queried_at_the_host_that_it_takes_by_default(client, server):
    server.control.seed(runs=[{"job_id": 70, "age": 60}])
    cli = client("dbt-cloud-cli", DBT_CLOUD_API_TOKEN=server.token, DBT_CLOUD_ACCOUNT_ID="1")
    (cli.folder / "query.graphql").write_text(
        "{ environment(id: 1) { applied { models(first: 5) { edges { node { uniqueId } } } } } }"
    )

    found = cli.data(DBT_CLOUD, "metadata", "query", "--file", "query.graphql")
    models = found["environment"]["applied"]["models"]
    assert models["edges"] == [{"node": {"uniqueId": "model.shop.orders"}}]
