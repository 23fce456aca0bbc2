"""Artifacts land in an S3 through Airflow's Amazon provider and s3fs, large ones in several parts."""

import json
from pathlib import Path

import pytest

from dbtcloud.testing import connection_json

pytestmark = [pytest.mark.contract, pytest.mark.extensive, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
RESULTS = '{"results":   []}\n'
LARGE = json.dumps({"nodes": "é" * 12_000_000})  # s3fs sends more than 50 MiB in parts
ODD = "compiled/bakery/models/a b[1].sql"
ARTIFACTS = {"run_results.json": RESULTS, "manifest.json": LARGE, ODD: "select 'ä'\r\n"}


@pytest.fixture
def certificate() -> None:
    """No certificate: the connection takes a whole address, so plain http will do."""


def test_artifacts_land_in_s3_over_an_airflow_connection(client, server, tmp_path):
    server.control.seed(jobs=[{"id": 60, "name": "Artful", "pretend": {"artifacts": ARTIFACTS}}])
    (run_id,) = server.control.seed(runs=[{"job_id": 60, "age": 600}])["runs"]
    airflow = client(
        "object-stores",
        PYTHONPATH=f"{ROOT}:{ROOT / 'dbtcloud' / 'src'}",
        AIRFLOW_HOME=str(tmp_path / "airflow"),
        AIRFLOW_CONN_DBT_CLOUD_DEFAULT=connection_json(server),
    )

    user = Path(__file__).with_name("object_stores_user.py")
    told = json.loads(airflow.run("python", user, str(run_id)).splitlines()[-1])

    assert told["one"] == "s3://lake@bakery/one/run_results.json"
    assert told["named"] == "s3://lake@bakery/named/results.json"
    assert sorted(told["all"]) == sorted(f"s3://lake@bakery/all/{name}" for name in ARTIFACTS)
    assert "could not be written to s3://lake@brewery/one/run_results.json" in told["nowhere"]
    assert "The specified bucket does not exist" in told["nowhere"]
    assert "has no artifact 'sources.json'" in told["missing"]
    assert told["objects"] == {
        "one/run_results.json": RESULTS,
        "named/results.json": RESULTS,
        **{f"all/{name}": text for name, text in ARTIFACTS.items()},
    }
