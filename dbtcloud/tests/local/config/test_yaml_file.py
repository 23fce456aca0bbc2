"""The YAML file of projects: its keys, and the errors for wrong entries."""

import pytest

from dbtcloud.local.config import yaml_file
from dbtcloud.local.config.model import EnvironmentConfig, JobConfig, TokenConfig
from dbtcloud.local.model.api_errors import LocalServerError

WHOLE = """
keep_artifacts: 500MB
tokens:
  - variable: RUNNER_TOKEN
    permission_sets: [job_runner]
projects:
  - name: Oven
    project_dir: ./oven
    dbt_version: "1.10"
    adapters: [dbt-postgres]
    with: [pandas, numpy==2.3]
    pass_env: [PGPASSWORD]
    environments:
      - {name: Production, target: prod, schema: live, dbt_version: "1.11", branch: release}
    jobs:
      - name: Nightly
        environment: Production
        steps: [dbt seed, dbt build]
        generate_docs: true
        threads: 8
        timeout_seconds: 3600
        schedule: "0 3 * * *"
  - git: https://example.com/stove.git
    branch: main
    subdirectory: dbt
    duckdb: true
"""


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        (tmp_path / "local-dbt-cloud.yml").write_text(text)
        return yaml_file.read_config_file(tmp_path / "local-dbt-cloud.yml")

    return read_text


def test_every_key_is_read(read, tmp_path):
    declared = read(WHOLE)
    oven, stove = declared.projects
    assert (declared.keep_artifacts, declared.tokens) == (
        "500MB",
        (TokenConfig("RUNNER_TOKEN", ("job_runner",)),),
    )
    assert (oven.name, oven.project_dir) == ("Oven", tmp_path / "oven")
    assert (oven.dbt_version, oven.adapters, oven.pass_env) == ("1.10", ("dbt-postgres",), ("PGPASSWORD",))
    assert oven.packages == ("pandas", "numpy==2.3")
    assert oven.environments == (EnvironmentConfig("Production", "prod", "live", "1.11", branch="release"),)
    assert oven.jobs == (
        JobConfig(
            "Nightly",
            "Production",
            ("dbt seed", "dbt build"),
            generate_docs=True,
            threads=8,
            timeout_seconds=3600,
            schedule="0 3 * * *",
        ),
    )
    assert (stove.git, stove.branch, stove.subdirectory, stove.duckdb) == (
        "https://example.com/stove.git",
        "main",
        "dbt",
        True,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a mapping"),
        ("projects: []", "has no project"),
        ("projects: {}", "projects must be a list"),
        ("project: []", "unknown key 'project'.*Did you mean 'projects'"),
        ("projects: [{project_dir: a, job: []}]", "projects 1 has an unknown key 'job'.*Did you mean 'jobs'"),
        ("projects: [{project_dir: a, jobs: [{steps: [dbt build]}]}]", "jobs 1 has no name"),
        (
            "projects: [{project_dir: a, jobs: [{name: b, threads: many}]}]",
            "threads must be a whole number",
        ),
        ("projects: [{project_dir: a, dbt_version: 1.10}]", "lost a zero at its end. Put it in quotes"),
        ("projects: [{project_dir: a, duckdb: maybe}]", "duckdb must be true or false, but is 'maybe'"),
        ("projects: [", "is not valid YAML"),
    ],
)
def test_the_error_for_a_wrong_entry_names_its_place(read, text, said):
    with pytest.raises(LocalServerError, match=f"local-dbt-cloud.yml.*{said}"):
        read(text)
