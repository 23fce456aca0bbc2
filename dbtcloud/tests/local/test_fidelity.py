"""Answers have the fields, types and spellings of those that dbt Cloud really gave."""

import json
import re

import pytest

# Older answers carry what dbt Cloud has dropped since, or what depends on a repository or a warehouse.
DROPPED = {"scribe_enabled"}
OF_THE_WAREHOUSE = {"details", "dbt_project_id", "gcs_bucket", "repository"}
# What is null or not according to the plan, the repository, the credentials, or to what was asked for.
OF_THE_ACCOUNT = {
    "billing_email_address",
    "created_by_id",
    "credentials_id",
    "custom_branch",
    "deferring_environment_id",
    "deployment_type",
    "git_branch",
    "git_provider_webhook",
    "git_sha",
    "on_merge",
    "repository_id",
}
SPACED = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00"
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"
PROJECTS = "/api/v3/accounts/1/projects/"


def differences(real, ours, where=""):
    """Yield each field that is missing here, of another type, null in only one, or spelled otherwise."""
    if isinstance(real, dict) and isinstance(ours, dict):
        for name in real.keys() - DROPPED - OF_THE_WAREHOUSE:
            if name not in ours:
                yield f"{where}.{name} is missing"
            elif name not in OF_THE_ACCOUNT:
                yield from differences(real[name], ours[name], f"{where}.{name}")
    elif isinstance(real, list) and isinstance(ours, list) and real and ours:
        yield from differences(real[0], ours[0], f"{where}[0]")
    elif type(real) is not type(ours):
        yield f"{where} is {ours!r}, and was {real!r}"
    elif isinstance(real, str) and isinstance(ours, str):
        yield from (f"{where} is spelled {ours!r}, and was {real!r}" for form in (SPACED, ISO) if
                    re.fullmatch(form, real) and not re.fullmatch(form, ours))  # fmt: skip


def found(real, ours):
    """List the differences but those within an environment's connection, whose fields are its warehouse's."""
    within = re.compile(r"\.data(\[0\])?\.connection\.")
    return [line for line in differences(real, ours) if not within.match(line)]


def published(samples, name):
    return json.loads((samples / f"{name}.json").read_text())


ENDED = {
    "queued": 39,
    "running": 12,
    "steps": [{"name": "Clone git repository", "seconds": 1, "logs": "cloned"}],
    "artifacts": {"run_results.json": {}, "manifest.json": {}},
}


@pytest.mark.parametrize(
    ("sample", "path"),
    [
        ("datamie_account_list_response", "/api/v2/accounts/"),
        ("datamie_account_get_response", ""),
        ("datamie_project_list_response", "/api/v3/accounts/1/projects/"),
        ("datamie_project_get_response", "/api/v3/accounts/1/projects/1/"),
        ("datamie_environment_list_response", "environments/"),
        ("datamie_environment_get_response", "environments/1/"),
        ("datamie_job_list_response", "jobs/"),
        ("datamie_job_get_response", "jobs/1/"),
        ("datamie_run_get_response", "runs/{run}/"),
        ("datamie_job_run_response", "runs/{run}/"),
        ("datamie_run_list_artifacts_response", "runs/{run}/artifacts/"),
    ],
)
def test_answers_have_the_fields_of_published_ones(api, samples, sample, path):
    run = api.start(api.job(ENDED))["id"]
    api.control.advance(60)
    ours = api.ask(path.format(run=run)).json()
    assert found(published(samples, sample), ours) == []


@pytest.mark.parametrize(
    ("sample", "method", "path", "body"),
    [
        ("job_create", "POST", "jobs/", {"name": "Nightly", "project_id": 1, "environment_id": 1}),
        ("job_delete", "DELETE", "jobs/1/", None),
        ("project_create", "POST", PROJECTS, {"name": "Shop", "dbt_project_subdirectory": "dbt/"}),
        ("project_update", "POST", f"{PROJECTS}{{project}}/", {"name": "Store"}),
        ("project_delete", "DELETE", f"{PROJECTS}{{project}}/", None),
        ("environment_create", "POST", f"{PROJECTS}1/environments/", {"name": "CI"}),
        ("environment_delete", "DELETE", "environments/1/", None),
    ],
)
def test_answers_to_create_update_and_delete_have_the_fields_of_published_ones(
    api, samples, sample, method, path, body
):
    project = api.ask(PROJECTS, "POST", json={"name": "Shop"}).json()["data"]["id"]
    answer = api.ask(path.format(project=project), method, json=body)
    real = published(samples, f"datamie_{sample}_response")
    assert answer.status_code == real["status"]["code"]
    # A new environment was created "null" there.
    differing = [
        line
        for line in found(real, answer.json())
        if sample != "environment_create" or ".created_at" not in line
    ]
    assert differing == []


def test_a_started_run_has_the_fields_of_a_published_one(api, samples):
    answer = api.ask(
        f"jobs/{api.job()}/run/", "POST", json={"cause": "A test", "timeout_seconds_override": 7_200}
    )
    ours, real = answer.json(), published(samples, "kestra_run_with_related")
    assert found(real, ours) == []
    for name in ("status", "blocked_by", "run_steps", "environment", "finished_at_humanized", "is_running"):
        assert ours["data"][name] == real["data"][name]


def test_a_cancelled_run_has_the_fields_of_a_published_one(api, samples):
    run = api.start(api.job(ENDED))["id"]
    ours = api.ask(f"runs/{run}/cancel/", "POST").json()
    real = published(samples, "datamie_run_cancel_response")
    assert found(real, ours) == []
    for name in ("status", "status_message", "dequeued_at", "started_at", "is_cancelled", "artifacts_saved"):
        assert ours["data"][name] == real["data"][name]
