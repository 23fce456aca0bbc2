"""dagster-dbt 0.29.27 builds the sample project through the local dbt Cloud, asset by asset."""

import json
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.contract,
    pytest.mark.dbt,
    pytest.mark.timeout(900),
    pytest.mark.extensive,
]


@pytest.fixture(scope="module")
def certificate() -> None:
    """No certificate: this client takes a whole address, so plain http will do."""


def test_it_makes_a_job_parses_the_project_and_materializes_what_was_built(client, server, refused):
    dagster = client("dagster-dbt", URL=server.url, TOKEN=server.token)

    told = json.loads(dagster.run("python", Path(__file__).with_name("dagster_user.py")).splitlines()[-1])
    assert told["success"]
    assert {"sales", "stg_sales", "daily_takings"} <= set(told["materialized"])
    assert len(told["checks"]) > 9
    assert all(told["checks"])
    assert refused() == []
