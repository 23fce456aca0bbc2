"""A project of 24 models in a git repository of one's own, with PostgreSQL as its target."""

import json
import subprocess

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from postgres_server import NoPostgresError, database
from served import run_job, run_of, serve, wait_for

pytestmark = pytest.mark.dbt

LAYERS, WIDTH = 6, 4
ADDRESS = ("BAKERY_HOST", "BAKERY_PORT", "BAKERY_USER", "BAKERY_PASSWORD", "BAKERY_DATABASE")


@pytest.fixture(scope="module")
def url():
    try:
        with database() as made:
            yield make_url(made)
    except NoPostgresError as error:
        pytest.skip(str(error))


@pytest.fixture
def variables(url):
    values = (
        url.host or url.query["host"],
        url.port or 5432,
        url.username,
        url.password or "none",
        url.database,
    )
    return dict(zip(ADDRESS, map(str, values), strict=True))


@pytest.fixture
def repository(home):
    """Six layers of four models, each of which reads the layer before; on `more` there is one beyond."""
    top = home / "bakery"
    (top / "dbt" / "models").mkdir(parents=True)
    git(top, "init", "-q", "-b", "trunk")
    (top / "dbt" / "dbt_project.yml").write_text(
        "name: bakery\nprofile: bakery\nmodels: {+materialized: table}\n"
    )
    host, port, user, password, name = (f"{{{{ env_var('{variable}') }}}}" for variable in ADDRESS)
    output = {"type": "postgres", "host": host, "port": port.replace(" }}", " | int }}"), "user": user}
    output |= {"password": password, "dbname": name, "schema": "bakery", "threads": 4}
    profiles = {"bakery": {"target": "prod", "outputs": {"prod": output}}}
    (top / "dbt" / "profiles.yml").write_text(json.dumps(profiles))
    for layer in range(LAYERS):
        for number in range(WIDTH):
            before = f"{{{{ ref('loaf_{layer - 1}_{number}') }}}}" if layer else "(select 1 as grams) as f"
            text = f"select grams + 1 as grams from {before}\n"
            (top / "dbt" / "models" / f"loaf_{layer}_{number}.sql").write_text(text)
    git(top, "add", "."), git(top, "commit", "-qm", "24 models")
    git(top, "checkout", "-qb", "more")
    (top / "dbt" / "models" / "basket.sql").write_text(
        "select sum(grams) as grams from {{ ref('loaf_5_0') }}\n"
    )
    git(top, "add", "."), git(top, "commit", "-qm", "one more"), git(top, "checkout", "-q", "trunk")
    return top


def git(folder, *words):
    command = ["git", "-c", "user.name=Baker", "-c", "user.email=baker@example.com", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def relations(url, schema):
    with psycopg2.connect(
        url.set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        cursor = connection.cursor()
        cursor.execute("select table_name from information_schema.tables where table_schema = %s", (schema,))
        return {name for (name,) in cursor.fetchall()}


def finished(served, **overrides):
    run_id = run_job(served, 1, **overrides)
    wait_for(lambda: run_of(served, run_id)["is_complete"], 200)
    run = run_of(served, run_id)
    assert run["status"] == 10, run["run_steps"][-1]["logs"]
    return run


def built(served, run):
    path = f"/api/v2/accounts/1/runs/{run['id']}/artifacts/run_results.json"
    return {result["unique_id"].split(".")[2] for result in served.get(path).json()["results"]}


def test_a_run_has_the_requested_branch_and_schema(home, repository, url, variables):
    passed = [f"--pass-env={name}" for name in ADDRESS]
    options = ["--git", str(repository), "--subdirectory", "dbt", "--dbt-version", "1.11", *passed]
    with serve(*options, **variables) as served:
        run = finished(served)
        names = [step["name"] for step in run["run_steps"]]
        assert names[1:] == ["Create profile from connection Postgres", "Invoke dbt with `dbt build`"]
        assert (run["git_branch"], run["git_sha"]) == ("trunk", git(repository, "rev-parse", "trunk"))
        assert len(built(served, run)) == len(relations(url, "bakery")) == LAYERS * WIDTH

        more = finished(served, git_branch="more", schema_override="tryout", threads_override=2)
        assert more["git_sha"] == git(repository, "rev-parse", "more")
        assert "Concurrency: 2 threads" in more["run_steps"][-1]["logs"]
        assert built(served, more) - built(served, run) == {"basket"}
        assert "basket" in relations(url, "tryout")
        assert "basket" not in relations(url, "bakery")
    assert git(repository, "status", "--porcelain") == ""
