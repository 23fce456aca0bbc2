"""prefect-dbt 0.7.25 runs jobs of the local dbt Cloud from a flow."""

import json
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.contract,
    pytest.mark.timeout(900),
    pytest.mark.extensive,
]


def test_a_flow_runs_jobs_waits_for_them_and_reads_their_artifacts(client, server, refused):
    prefect = client(
        "prefect-dbt",
        TOKEN=server.token,
        DOMAIN=f"localhost:{server.url.rpartition(':')[2]}",
        PREFECT_LOGGING_LEVEL="CRITICAL",
        DO_NOT_TRACK="1",
    )

    printed = prefect.run("python", Path(__file__).with_name("prefect_user.py"))
    told = json.loads(next(line for line in printed.splitlines() if line.startswith('{"run"')))
    assert (told["run"]["status"], told["block"]["status"]) == (10, 10)
    assert told["artifacts"] == ["catalog.json", "manifest.json", "run_results.json"]
    assert told["results"]["results"][0]["unique_id"] == "model.shop.orders"
    assert "failed" in told["failed"]
    assert refused() == []
