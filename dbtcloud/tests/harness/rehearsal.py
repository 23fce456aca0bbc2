"""Jobs whose runs follow a script, on the local dbt Cloud, and a look at what became of them there."""

from typing import Any

import pytest
import requests

from dbtcloud.local.server.in_thread import LocalDbtCloud

STEPS = [
    {"name": "Clone git repository", "seconds": 0.1},
    {"name": "Invoke dbt with `dbt build`", "seconds": 0.2, "command": "dbt build"},
]
BROKEN = [
    STEPS[0],
    {**STEPS[1], "outcome": 20, "logs": "Database Error in model orders (models/orders.sql)"},
]
JOBS = [
    {"id": 50, "name": "Quick", "pretend": {"running": 0.3, "steps": STEPS}},
    {
        "id": 51,
        "name": "Failing",
        "pretend": {
            "running": 0.3,
            "outcome": 20,
            "steps": BROKEN,
            "artifacts": {"run_results.json": {"results": []}},
        },
    },
    {"id": 52, "name": "Cancelled", "pretend": {"running": 0.3, "outcome": 30}},
    {"id": 53, "name": "Endless", "pretend": {"running": 36_000, "steps": STEPS}},
    {"id": 54, "name": "Instant", "pretend": {}},
]


class Rehearsal:
    """Ids of the jobs, and dbt Cloud's own view of their runs."""

    quick, failing, cancelled, endless, instant = (job["id"] for job in JOBS)

    def __init__(self, cloud: LocalDbtCloud) -> None:
        self.control = cloud.control
        self._runs = f"{cloud.url}/api/v2/accounts/1/runs/"
        self._headers = {"Authorization": f"Token {cloud.token}"}
        self.control.seed(jobs=JOBS)

    def started(self, job_id: int, **fields: Any) -> int:
        """Start a run as somebody else would, and return its id."""
        url = self._runs.replace("/runs/", f"/jobs/{job_id}/run/")
        answer = requests.post(url, json={"cause": "By hand", **fields}, headers=self._headers, timeout=10)
        return answer.json()["data"]["id"]

    def cancel(self, run_id: int) -> None:
        """Cancel a run as somebody else would."""
        self._post(run_id, "cancel")

    def retry(self, run_id: int) -> None:
        """Retry a run as somebody else would."""
        self._post(run_id, "retry")

    def _post(self, run_id: int, verb: str) -> None:
        requests.post(f"{self._runs}{run_id}/{verb}/", headers=self._headers, timeout=10).raise_for_status()

    def run(self, run_id: int) -> dict[str, Any]:
        """A run with its trigger."""
        return self._get(f"{self._runs}{run_id}/")

    def runs(self) -> list[dict[str, Any]]:
        """Every run with its trigger, oldest first."""
        return self._get(f"{self._runs}?order_by=id")

    def triggers(self) -> list[dict[str, Any]]:
        """What started each run, as far as it was said."""
        said = [run["trigger"] for run in self.runs()]
        return [{name: value for name, value in each.items() if value is not None} for each in said]

    def asked(self, method: str, part: str) -> list[dict[str, Any]]:
        """The requests of this method whose target holds this text."""
        return [
            each
            for each in self.control.requests()
            if each["method"] == method and part in each["target"] and "rehearsal" not in each["headers"]
        ]

    def _get(self, url: str) -> Any:
        query = {"include_related": '["trigger"]'}
        headers = {**self._headers, "rehearsal": "1"}
        answer = requests.get(url, params=query, headers=headers, timeout=10)
        return answer.json()["data"]


@pytest.fixture
def jobs(dbt_cloud: LocalDbtCloud) -> Rehearsal:
    """Jobs of every outcome on the local dbt Cloud, behind the connection `dbt_cloud_default`."""
    return Rehearsal(dbt_cloud)
