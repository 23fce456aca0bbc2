"""acryl-datahub 1.7.0.17 takes metadata from the local dbt Cloud: Admin API and Discovery."""

import json

import pytest

pytestmark = [
    pytest.mark.contract,
    pytest.mark.timeout(900),
    pytest.mark.extensive,
]


@pytest.fixture(scope="module")
def certificate() -> None:
    """No certificate: this client takes a whole address, so plain http will do."""


@pytest.mark.parametrize(
    "which", [{"job_id": 70}, {"auto_discovery": {"enabled": True}}], ids=["job", "found"]
)
def test_it_ingests_what_a_run_left(client, server, refused, which):
    server.control.seed(runs=[{"job_id": 70, "age": 60}])
    datahub = client("acryl-datahub", DATAHUB_TELEMETRY_ENABLED="false")
    source = {
        "access_url": server.url,
        "metadata_endpoint": f"{server.url}/graphql",
        "token": server.token,
        "account_id": 1,
        "project_id": 1,
        "target_platform": "duckdb",
        "write_semantics": "OVERRIDE",
        **which,
    }
    records = datahub.folder / "records.json"
    recipe = {
        "source": {"type": "dbt-cloud", "config": source},
        "sink": {"type": "file", "config": {"filename": str(records)}},
    }
    (datahub.folder / "recipe.json").write_text(json.dumps(recipe))

    datahub.run("datahub", "ingest", "-c", "recipe.json")
    found = {record.get("entityUrn") for record in json.loads(records.read_text())}
    assert "urn:li:dataset:(urn:li:dataPlatform:dbt,shop.prod.orders,PROD)" in found
    assert refused() == []
