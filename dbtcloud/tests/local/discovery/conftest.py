"""A shop whose runs are simulated, asked about over the Discovery API."""

from typing import Any

import pytest

from shop_artifacts import good, manifest


class Shop:
    """Asks the Discovery API about an environment whose runs are made up."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.job_id = api.job({"outcome": 10}, name="Build the shop")

    def ran(self, age: float = 60, **artifacts: Any) -> int:
        """Put a run into the past that left these artifacts, named without `.json`; return its id."""
        named = {f"{name.replace('__', '/')}.json": content for name, content in artifacts.items()}
        run = {"job_id": self.job_id, "age": age, "pretend": {"artifacts": named}}
        return int(self.api.control.seed(runs=[run])["runs"][0])

    def built(self, age: float = 60, **artifacts: Any) -> int:
        """Put a run into the past that built everything."""
        return self.ran(age, **{"manifest": manifest(), "run_results": good(), **artifacts})

    def post(self, query: str, **variables: Any) -> Any:
        """Send a query and return the response."""
        return self.api.ask("/graphql", "POST", json={"query": query, "variables": variables})

    def ask(self, query: str, **variables: Any) -> Any:
        """Return the data of an answer that must have no errors."""
        response = self.post(query, **variables)
        assert response.status_code == 200, response.text
        assert "errors" not in response.json(), response.text
        return response.json()["data"]

    def applied(self, fields: str) -> Any:
        """Return fields of the applied state."""
        return self.ask(f"{{ environment(id: 1) {{ applied {{ {fields} }} }} }}")["environment"]["applied"]

    def nodes(
        self, fields: str, kind: str = "models", state: str = "applied", **arguments: str
    ) -> list[dict[str, Any]]:
        """Return nodes of a state."""
        given = ", ".join(f"{name}: {value}" for name, value in arguments.items())
        given = f"({given})" if given else ""
        page = f"{kind}{given} {{ edges {{ node {{ {fields} }} }} }}"
        asked = f"{{ environment(id: 1) {{ {state} {{ {page} }} }} }}"
        return [edge["node"] for edge in self.ask(asked)["environment"][state][kind]["edges"]]

    def run(self, fields: str, run_id: int | None = None) -> Any:
        """Return fields of one of the job's runs, the newest unless it is named."""
        query = f"query ($job: BigInt!, $run: BigInt) {{ job(id: $job, runId: $run) {{ {fields} }} }}"
        return self.ask(query, job=self.job_id, run=run_id)["job"]


@pytest.fixture
def shop(api: Any) -> Shop:
    return Shop(api)
