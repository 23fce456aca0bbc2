"""dbt-jobs-as-code 1.22.0 works against the local dbt Cloud."""

from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.contract, pytest.mark.extensive, pytest.mark.timeout(600)]

CLI = "dbt-jobs-as-code"
NIGHTLY = {
    "account_id": 1,
    "project_id": 1,
    "environment_id": 1,
    "name": "Nightly",
    "description": "By code",
    "settings": {"threads": 4, "target_name": "prod"},
    "execution": {"timeout_seconds": 3600},
    "run_generate_sources": True,
    "execute_steps": ["dbt build"],
    "generate_docs": True,
    "schedule": {"cron": "0 3 * * *"},
    "triggers": {"github_webhook": False, "git_provider_webhook": False, "schedule": True, "on_merge": False},
    "custom_environment_variables": [{"DBT_ENV_REGION": "north"}],
}
CI = {
    **NIGHTLY,
    "environment_id": 2,
    "name": "CI",
    "job_type": "ci",
    "execute_steps": ["dbt build --select state:modified+"],
    "deferring_environment_id": 1,
    "triggers": {**NIGHTLY["triggers"], "schedule": False},
    "custom_environment_variables": [],
}
UNCHANGED = "No changes detected"


@pytest.fixture(scope="module")
def certificate() -> None:
    """No certificate: this client takes a whole address, so plain http will do."""


@pytest.fixture
def cli(client, server):
    return client(CLI, DBT_BASE_URL=server.url, DBT_API_KEY=server.token)


@pytest.fixture
def write(cli):
    """Writes jobs, by their identifiers, as the client's file."""

    def to_file(**jobs: object) -> Path:
        file = cli.folder / "jobs.yml"
        file.write_text(yaml.safe_dump({"jobs": jobs}))
        return file

    return to_file


def test_jobs_are_validated_planned_and_synced(cli, write, server, refused):
    file = write(nightly=NIGHTLY, ci=CI)

    assert "The config file is valid" in cli.said(CLI, "validate", file, "--online")
    assert "3 changes detected" in cli.said(CLI, "plan", file)
    cli.run(CLI, "sync", file)
    assert UNCHANGED in cli.said(CLI, "plan", file)
    assert refused() == []


def test_a_changed_job_is_updated_and_a_removed_one_deleted(cli, write, refused):
    cli.run(CLI, "sync", write(nightly=NIGHTLY, ci=CI))

    changed = {
        **NIGHTLY,
        "execute_steps": ["dbt run", "dbt test"],
        "custom_environment_variables": [{"DBT_ENV_REGION": "south"}],
    }
    file = write(nightly=changed)
    cli.run(CLI, "sync", file)

    assert UNCHANGED in cli.said(CLI, "plan", file)
    jobs = yaml.safe_load(cli.run(CLI, "import-jobs", "--account-id", "1", "--managed-only"))["jobs"]
    assert list(jobs) == ["nightly"]
    assert jobs["nightly"].items() >= changed.items()
    assert refused() == []


def test_jobs_made_elsewhere_are_imported_linked_and_unlinked(cli, refused):
    one = ("--account-id", "1", "--job-id", "1")
    jobs = yaml.safe_load(cli.run(CLI, "import-jobs", *one, "--include-linked-id"))["jobs"]
    file = cli.folder / "jobs.yml"
    file.write_text(yaml.safe_dump({"jobs": {"daily": next(iter(jobs.values()))}}))

    cli.run(CLI, "link", file)
    assert UNCHANGED in cli.said(CLI, "plan", file)
    cli.run(CLI, "unlink", "--account-id", "1")
    assert "1 changes detected" in cli.said(CLI, "plan", file)
    assert refused() == []
