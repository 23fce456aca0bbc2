"""Projects, environments and jobs: lists, filters, single objects."""

import pytest


@pytest.fixture
def shop(api):
    """A second project with two environments and two jobs, one of them deleted."""
    api.control.seed(
        projects=[{"id": 5, "name": "Shop_A"}, {"id": 6, "name": "shop_b", "state": 2}],
        environments=[
            {"id": 50, "name": "Dev", "project_id": 5},
            {"id": 51, "name": "Prod", "project_id": 5},
        ],
        jobs=[
            {"id": 500, "name": "Nightly 100% run", "project_id": 5, "environment_id": 50},
            {"id": 501, "name": "Gone", "project_id": 5, "environment_id": 51, "state": 2},
        ],
    )
    return api


def ids(api, path, **params):
    return [each["id"] for each in api.get(path, **params)]


@pytest.mark.parametrize("path", ["/api/v3/accounts/1/projects/", "/api/v2/accounts/1/projects/"])
def test_projects_are_listed_in_both_versions(shop, path):
    assert ids(shop, path) == [1, 5]
    assert ids(shop, path, name__icontains="SHOP") == [5]
    assert ids(shop, path, state="all", order_by="-id") == [6, 5, 1]
    assert ids(shop, path, pk__in="[5,6]", state="deleted") == [6]
    assert ids(shop, path, limit=1, offset=1) == [5]


def test_environments_are_those_of_the_project(shop):
    path = "/api/v3/accounts/1/projects/5/environments/"
    assert ids(shop, path) == [50, 51]
    assert ids(shop, path, name__icontains="pro") == ids(shop, path, name="Prod") == [51]
    assert ids(shop, path, name="prod") == []
    assert ids(shop, "environments/", project_id=1) == [1, 2]


def test_one_environment_is_read_within_its_project_only(shop):
    assert shop.get("/api/v3/accounts/1/projects/5/environments/50/")["project"]["id"] == 5
    assert shop.get("environments/50/")["connection"]["type"] == "duckdb"
    assert shop.ask("/api/v3/accounts/1/projects/1/environments/50/").status_code == 404
    assert shop.ask("/api/v3/accounts/1/projects/9/environments/").status_code == 404


def test_jobs_are_filtered(shop):
    assert ids(shop, "jobs/", project_id=5) == ids(shop, "jobs/", project_id__in="[5]") == [500]
    assert ids(shop, "jobs/", project_id=5, state="all") == [500, 501]
    assert ids(shop, "jobs/", environment_id=50) == ids(shop, "jobs/", name__icontains="nightly") == [500]
    assert ids(shop, "jobs/", name__icontains="0%") == [500]
    assert ids(shop, "jobs/", name__icontains="_") == []
    assert ids(shop, "jobs/", order_by="-id")[0] == 500


@pytest.mark.parametrize(("given", "echoed"), [("all", "all"), ("active", 1), ("2", 2)])
def test_the_state_asked_for_is_echoed(shop, given, echoed):
    assert shop.ask("jobs/", params={"state": given}).json()["extra"]["filters"]["state"] == echoed


@pytest.mark.parametrize(
    "path", ["/api/v3/accounts/1/projects/5/", "/api/v3/accounts/1/projects/5/environments/50/"]
)
def test_a_state_that_there_is_not_is_refused(shop, path):
    answer = shop.ask(path, "POST", json={"name": "Other", "state": 7})
    assert answer.status_code == 400
    assert "7 is not one of [1, 2]" in answer.text


def test_a_job_brings_its_environment_and_project(shop):
    job = shop.get("jobs/500/", include_related="environment,project")
    assert (job["environment"]["name"], job["project"]["name"]) == ("Dev", "Shop_A")
    assert job["project"]["connection"]["type"] == "duckdb"
    assert shop.get("jobs/500/")["environment"] is None


def test_a_job_brings_its_newest_runs(shop):
    assert shop.get("jobs/500/", include_related="most_recent_run")["most_recent_run"] is None
    ended, going = shop.control.seed(runs=[{"job_id": 500}, {"job_id": 500, "pretend": {"running": 99}}])[
        "runs"
    ]
    job = shop.get("jobs/500/", include_related="most_recent_run,most_recent_completed_run")
    assert (job["most_recent_run"]["id"], job["most_recent_completed_run"]["id"]) == (going, ended)


def test_a_project_has_its_connection(shop):
    assert shop.get("/api/v3/accounts/1/projects/5/")["connection"]["name"] == "DuckDB"


def test_accounts_are_the_same_in_both_versions(shop):
    assert shop.get("/api/v2/accounts/") == shop.get("/api/v3/accounts/") == [shop.get("")]
