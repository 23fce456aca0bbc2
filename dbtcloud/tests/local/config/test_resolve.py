"""Configured projects become environments and jobs, and keep their ids in the next server."""

import asyncio
import json
from dataclasses import replace

import pytest

from dbtcloud.core.runner_errors import InvalidDbtConfiguration
from dbtcloud.local.config import resolve
from dbtcloud.local.config.model import EnvironmentConfig, JobConfig, ProjectConfig
from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.server.in_thread import LocalDbtCloud


@pytest.fixture
def oven(tmp_path):
    project = tmp_path / "oven"
    project.mkdir()
    (project / "dbt_project.yml").write_text("name: oven\nprofile: oven\n")
    outputs = {
        "ci": {"type": "duckdb", "path": "ci.duckdb"},
        "prod": {"type": "postgres", "host": "{{ env_var('OVEN_HOST') }}", "threads": 9},
    }
    (project / "profiles.yml").write_text(json.dumps({"oven": {"target": "prod", "outputs": outputs}}))
    return ProjectConfig(project_dir=project)


def settle(*projects, told=None):
    progress = (lambda _: None) if told is None else told.append
    return asyncio.run(resolve.ResolvedProjects.resolve(projects, projects[0].project_dir / "work", progress))


def test_each_target_has_an_environment_and_a_job_with_the_default_target_first(oven):
    own = settle(oven)
    assert [(entry["name"], entry["target_name"]) for entry in own.document["environments"]] == [
        ("prod", "prod"),
        ("ci", "ci"),
    ]
    jobs = [(job["name"], job["environment_id"], job["threads"]) for job in own.document["jobs"]]
    assert jobs == [("Build", 1, 9), ("Build ci", 2, 4)]
    assert own.setups[1].adapters == ("dbt-duckdb", "dbt-postgres")
    assert own.document["projects"] == [{"id": 1, "name": "oven"}]


def test_a_variable_that_is_not_passed_to_dbt_is_reported(oven, monkeypatch):
    told = []
    settle(oven, told=told)
    assert "OVEN_HOST" in told[0]
    assert "--pass-env OVEN_HOST" in told[0]
    monkeypatch.setenv("OVEN_HOST", "here")
    settle(replace(oven, pass_env=("OVEN_HOST",)), told=(told := []))
    assert told == []


def test_packages_are_part_of_the_dbt_environment(oven):
    own = settle(replace(oven, packages=("pandas", "numpy==2.3")))
    assert [requirements[-2:] for requirements in own.requirements] == [("pandas", "numpy==2.3")]
    assert own.setups[1].packages == ("pandas", "numpy==2.3")


def test_environments_with_the_same_duckdb_file_are_reported(oven, monkeypatch):
    monkeypatch.setenv("OVEN_HOST", "here")
    sharing = (EnvironmentConfig("A", "ci"), EnvironmentConfig("B", "ci"), EnvironmentConfig("C", "prod"))
    settle(replace(oven, environments=sharing, pass_env=("OVEN_HOST",)), told=(told := []))
    (said,) = told
    assert said.startswith("The environments A, B use the same DuckDB file ci.duckdb.")


def test_a_variable_with_a_default_that_is_set_but_not_passed_to_dbt_is_reported(oven, monkeypatch):
    output = {"type": "duckdb", "path": "{{ env_var('OVEN_FILE', 'oven.duckdb') }}"}
    profiles = {"oven": {"outputs": {"ci": output}}}
    (oven.project_dir / "profiles.yml").write_text(json.dumps(profiles))
    monkeypatch.delenv("OVEN_FILE", raising=False)
    settle(oven, told=(told := []))
    assert told == []
    monkeypatch.setenv("OVEN_FILE", "/data/oven.duckdb")
    settle(oven, told=told)
    assert "so the default in the profile is used. To use its value, give --pass-env OVEN_FILE" in told[0]
    settle(replace(oven, pass_env=("OVEN_FILE",)), told=(told := []))
    assert told == []


def test_a_project_without_a_profile_can_have_a_duckdb_file(oven):
    (oven.project_dir / "profiles.yml").unlink()
    own = settle(replace(oven, duckdb=True))
    assert [entry["target_name"] for entry in own.document["environments"]] == ["prod"]
    assert own.setups[1].uses_profile is False


def test_environments_and_jobs_are_those_of_the_configuration(oven):
    own = settle(
        replace(
            oven,
            dbt_version="1.10",
            adapters=("dbt-duckdb",),
            environments=(
                EnvironmentConfig("Live", "prod", "live", branch="release"),
                EnvironmentConfig("Try", "ci", dbt_version="1.11"),
            ),
            jobs=(JobConfig("Nightly", "Try", ("dbt seed", "dbt build"), schedule="0 3 * * *"),),
        )
    )
    live, tried = own.document["environments"]
    assert (live["schema"], live["dbt_version"], live["custom_branch"]) == ("live", "1.10", "release")
    assert tried["dbt_version"] == "1.11"
    (job,) = own.document["jobs"]
    assert (job["environment_id"], job["triggers"], job["schedule"]["cron"]) == (
        2,
        {"schedule": True},
        "0 3 * * *",
    )
    assert [wanted[0] for wanted in own.requirements] == ["dbt-core~=1.10.0", "dbt-core~=1.11.0"]


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"git": "https://example.com/x.git"}, LocalServerError, "has both project_dir and git. Give one"),
        ({"branch": "main"}, LocalServerError, "files are used as they are"),
        ({"environments": (EnvironmentConfig("Live", "live"),)}, InvalidDbtConfiguration, "no target 'live'"),
        (
            {"jobs": (JobConfig("Bake", "Nowhere"),)},
            LocalServerError,
            "unknown environment 'Nowhere'. The environments are: prod, ci",
        ),
        (
            {"jobs": (JobConfig("Bake", steps=("rm -rf models",)),)},
            InvalidDbtConfiguration,
            "'rm -rf models'",
        ),
    ],
)
def test_an_invalid_configuration_is_an_error(oven, changes, kind, said):
    with pytest.raises(kind, match=said):
        settle(replace(oven, **changes))


def test_two_projects_with_the_same_name_are_an_error(oven):
    with pytest.raises(LocalServerError, match="Two projects have the name 'oven'"):
        settle(oven, oven)


def test_jobs_with_the_same_name_in_two_environments_are_two_jobs(oven, client_of, tmp_path):
    def served():
        server = LocalDbtCloud(token="t", store=tmp_path / "state.sqlite", data_dir=tmp_path)
        jobs = tuple(JobConfig("Nightly", environment=name) for name in ("prod", "ci"))
        server._settings = replace(server._settings, projects=settle(replace(oven, jobs=jobs)))
        return server

    seen = []
    for _ in range(2):
        with served() as server:
            seen.append([(job["id"], job["environment_id"]) for job in client_of(server).get("jobs/")])
    assert seen[0] == seen[1]
    assert len(dict(seen[0])) == len({environment for _, environment in seen[0]}) == 2


def test_a_definition_that_keeps_its_name_keeps_its_id_and_its_runs(oven, client_of, tmp_path):
    async def done(plan, observer, cancelled):
        plans.append(plan)
        observer.starting(), observer.running()
        return own_projects_outcome

    from dbtcloud.local.model.run_plan import Outcome

    plans, own_projects_outcome = [], Outcome(10, None)

    def served(*jobs):
        server = LocalDbtCloud(token="t", store=tmp_path / "state.sqlite", data_dir=tmp_path, execute=done)
        server._settings = replace(server._settings, projects=settle(replace(oven, jobs=jobs)))
        return server

    with served(JobConfig("Nightly"), JobConfig("Hourly")) as server:
        run = client_of(server).start(2)["id"]
    with served(JobConfig("New"), JobConfig("Hourly", steps=("dbt test",))) as server:
        client = client_of(server)
        jobs = {job["name"]: job for job in client.get("jobs/")}
        assert {name: job["id"] for name, job in jobs.items()} == {"Nightly": 1, "Hourly": 2, "New": 3}
        assert jobs["Hourly"]["execute_steps"] == ["dbt test"]
        assert client.get(f"runs/{run}/")["job_definition_id"] == 2
        client.start(3)
        server.control.reset()
        assert [job["name"] for job in client.get("jobs/")] == ["New", "Hourly"]
        client.start(1)
    assert {plan.setup.source.folder for plan in plans} == {oven.project_dir}


def test_a_server_without_the_project_does_not_run_another_in_its_place(
    oven, client_of, tmp_path, eventually
):
    server = LocalDbtCloud(token="t", store=tmp_path / "state.sqlite", data_dir=tmp_path)
    server._settings = replace(server._settings, projects=settle(oven))
    with server:
        pass
    with LocalDbtCloud(token="t", store=tmp_path / "state.sqlite", data_dir=tmp_path) as plain:
        client = client_of(plain)
        run = client.start(1)["id"]
        eventually(lambda: client.get(f"runs/{run}/")["status"] == 20)
        assert "no dbt project on this machine" in client.get(f"runs/{run}/")["status_message"]
