"""Answers have the fields, types and spellings of those that dbt Cloud really gave."""

import json
import re

import pytest

# Older answers carry what dbt Cloud has dropped since, or what depends on a repository or a warehouse.
DROPPED = {"scribe_enabled"}
OF_THE_WAREHOUSE = {"details", "dbt_project_id", "gcs_bucket", "repository"}
SPACED = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00"
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"


def differences(real, ours, where=""):
    """Yield each field that is missing here or of another type, where both have a value."""
    if isinstance(real, dict) and isinstance(ours, dict):
        for name in real.keys() - DROPPED - OF_THE_WAREHOUSE:
            if name not in ours:
                yield f"{where}.{name} is missing"
            else:
                yield from differences(real[name], ours[name], f"{where}.{name}")
    elif isinstance(real, list) and isinstance(ours, list) and real and ours:
        yield from differences(real[0], ours[0], f"{where}[0]")
    elif real is not None and ours is not None and type(real) is not type(ours):
        yield f"{where} is {ours!r}, and was {real!r}"
    elif isinstance(real, str) and isinstance(ours, str):
        yield from (f"{where} is spelled {ours!r}, and was {real!r}" for form in (SPACED, ISO) if
                    re.fullmatch(form, real) and not re.fullmatch(form, ours))  # fmt: skip


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
        ("datamie_environment_create_response", "/api/v3/accounts/1/projects/1/environments/1/"),
        ("datamie_environment_get_response", "environments/1/"),
        ("datamie_job_list_response", "jobs/"),
        ("datamie_job_get_response", "jobs/1/"),
        ("datamie_run_get_response", "runs/{run}/"),
        ("datamie_job_run_response", "runs/{run}/"),
        ("datamie_run_list_artifacts_response", "runs/{run}/artifacts/"),
    ],
)
def test_answers_look_as_published_ones(api, samples, sample, path):
    run = api.start(api.job(ENDED))["id"]
    api.control.advance(60)
    ours = api.ask(path.format(run=run)).json()
    real = json.loads((samples / f"{sample}.json").read_text())
    known = {".data[0].connection", ".data.connection"} if "environment" in sample else set()
    found = [
        line for line in differences(real, ours) if not any(line.startswith(f"{prefix}.") for prefix in known)
    ]
    assert found == []


def test_a_started_run_looks_as_a_published_one(api, samples):
    answer = api.ask(
        f"jobs/{api.job()}/run/", "POST", json={"cause": "A test", "timeout_seconds_override": 7_200}
    )
    ours, real = answer.json(), json.loads((samples / "kestra_run_with_related.json").read_text())
    assert list(differences(real, ours)) == []
    for name in ("status", "blocked_by", "run_steps", "environment", "finished_at_humanized", "is_running"):
        assert ours["data"][name] == real["data"][name]


def test_a_cancelled_run_looks_as_a_published_one(api, samples):
    run = api.start(api.job(ENDED))["id"]
    ours = api.ask(f"runs/{run}/cancel/", "POST").json()
    real = json.loads((samples / "datamie_run_cancel_response.json").read_text())
    assert list(differences(real, ours)) == []
    for name in ("status", "status_message", "dequeued_at", "started_at", "is_cancelled", "artifacts_saved"):
        assert ours["data"][name] == real["data"][name]
