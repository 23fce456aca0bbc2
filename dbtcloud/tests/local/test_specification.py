"""Every GET that is served answers what the published specification says (dbt-labs/dbt-cloud-openapi-spec).

DBT_CLOUD_SPECS names a folder with openapi-v2.yaml and openapi-v3.yaml; DBT_CLOUD_SPEC_EXAMPLES says how many
requests each operation gets, 10 unless it is set.
"""

import os
from pathlib import Path

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import checks

from specification_overlay import overlaid

VERSIONS = ("openapi-v2.yaml", "openapi-v3.yaml")
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
MOST = int(os.environ.get("DBT_CLOUD_SPEC_EXAMPLES", "10"))
EXAMPLES = settings(
    max_examples=MOST,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
ENDED = {
    "running": 30,
    "steps": [
        {"name": "Invoke dbt with `dbt build`", "seconds": 30, "logs": "built", "command": "dbt build"}
    ],
    "artifacts": {"run_results.json": {"results": []}, "compiled/a.sql": "select 1"},
}


@pytest.fixture(scope="module")
def specifications():
    folder = Path(os.environ.get("DBT_CLOUD_SPECS", "nowhere"))
    files = [folder / name for name in VERSIONS]
    if not all(file.is_file() for file in files):
        pytest.skip(f"no published specification here; set DBT_CLOUD_SPECS to a folder with {VERSIONS}")
    return [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]


@pytest.fixture
def ids(api):
    """What is there to be asked for, in every state that a run can have, and something that is not."""
    job = api.job(ENDED)
    lives = [{"outcome": 20}, {"outcome": 30}, {"running": 999}, {"queued": 999}, ENDED]
    runs = api.control.seed(runs=[{"job_id": job, "age": 60, "pretend": life} for life in lives])["runs"]
    variable = {"name": "DBT_FLOUR", "type": "project", "raw_value": "rye"}
    api.ask("/api/v3/accounts/1/projects/1/environment-variables/", "POST", json=variable)
    webhooks = "/api/v3/accounts/1/webhooks"
    body = {"name": "x", "client_url": api.server.url, "event_types": ["job.run.started"], "active": True}
    webhook = api.ask(f"{webhooks}/subscriptions", "POST", json=body).json()["data"]["id"]
    event = api.get(f"{webhooks}/subscription/{webhook}/test")["event_id"]
    return {
        "account_id": [1],
        "accounts": [1],
        "projects": [1, 9],
        "project_id": [1],
        "environments": [1, 9],
        "jobs": [1, job, 9],
        "job_id": [job],
        "runs": [*runs, 9],
        "run_id": runs,
        "steps": [runs[0] * 100 + 1, runs[-1] * 100 + 1, 9],
        "remainder": ["run_results.json", "compiled/a.sql", "nothing.json"],
        "subscription_id": [webhook, "wsu_x"],
        "event_id": [event, "wev_x"],
        "receipt_id": ["wrc_x"],
    }


@pytest.mark.timeout(120 + 10 * MOST)
def test_every_get_answers_as_specified(api, specifications, ids):
    asked = 0
    for specification in specifications:
        schema = schemathesis.openapi.from_dict(overlaid(specification, ids))
        for found in schema.get_all_operations():
            ask(api, found.ok())
            asked += 1
    answers = api.control.counters()["answers"]
    assert asked >= 30
    assert answers["200"] > 2 * asked, answers
    assert answers.keys() <= {"200", "201", "400", "401", "404"}, (
        answers
    )  # 201: what was made to be asked for


def ask(api, operation):
    """Send well-formed requests, and as many that are not, and check each answer."""
    well, ill = (operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode)

    @EXAMPLES
    @given(case=well | ill if operation.query else well)
    def answers(case):
        # Longer ones are refused before they are a request.
        assume(len(str(case.query)) < 1_000)
        headers = {"Authorization": f"Token {api.server.token}"}
        case.call_and_validate(base_url=api.server.url, headers=headers, checks=CHECKS, timeout=60)

    answers()
