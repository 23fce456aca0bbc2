"""An answer of dbt Cloud to every request, the same whoever asks: for tests of what a client sends."""

import json
from typing import Any
from urllib.parse import urlsplit

from small_artifacts import run_results
from wires.raw import Received, answer, envelope

NODES = {
    "pageInfo": {"hasNextPage": False, "endCursor": None},
    "edges": [{"node": {"uniqueId": "model.a.b"}}],
}
STATE = {
    **dict.fromkeys(("models", "tests", "sources", "metrics"), NODES),
    "lineage": [{"uniqueId": "model.a.b"}],
}
GRAPH = {"data": {"environment": {"applied": STATE, "definition": STATE}}}
VALUE = {"id": 8, "value": "x"}
VARIABLES = {
    "environments": ["project", "Production"],
    "variables": {name: {"project": VALUE, "Production": VALUE} for name in ("DBT_ONE", "DBT_TWO")},
}
OVERRIDES = {"DBT_ONE": {"job": VALUE, "project": VALUE}}
WEBHOOK = {
    "id": "wsu_4",
    "name": "It",
    "event_types": ["job.run.completed"],
    "client_url": "https://example.com",
    "event_id": "we_4",
}
FILES = ["manifest.json", "run_results.json", "compiled/a.sql"]
ROW = {
    "id": 4,
    "name": "It",
    "status": 20,
    "status_humanized": "Error",
    "is_complete": True,
    "is_error": True,
    "account_id": 1,
    "project_id": 3,
    "environment_id": 2,
    "job_id": 6,
    "job_definition_id": 6,
    "artifacts_saved": True,
    "retryable": True,
    "retry_not_supported_reason": None,
    "finished_at": "2026-01-02 03:04:05.678901+00:00",
    "trigger": {"cause": "why"},
    "run_steps": [
        {"id": 9, "index": 1, "name": "Invoke dbt with `dbt build`", "status": 20, "logs": "a\nb\n"}
    ],
}


class ExampleAnswers:
    """Answers as dbt Cloud does, and remembers nothing but whether the job has a schedule."""

    def __init__(self) -> None:
        self._scheduled = True

    def __call__(self, request: Received) -> bytes:
        path = urlsplit(request.target).path
        if path == "/graphql":
            return answer(GRAPH)
        if "/artifacts/" in path and not path.endswith("/artifacts/"):
            return answer(run_results("1b9f", "error") if path.endswith(".json") else "select 1")
        data = self._data(request, path.strip("/").split("/"))
        return answer(envelope(data, total=len(data) if isinstance(data, list) else None))

    def _data(self, request: Received, parts: list[str]) -> Any:
        name = parts[-1]
        if "environment-variables" in parts:
            return {"environment": VARIABLES, "job": OVERRIDES}.get(name, VALUE)
        if name == "artifacts":
            return FILES
        body = json.loads(request.body) if request.body else {}
        if "webhooks" in parts:
            row = {**WEBHOOK, **body}
            return [row] if name == "subscriptions" and request.method == "GET" else row
        if "triggers" in body:
            self._scheduled = body["triggers"]["schedule"]
        row = {**ROW, **body, "triggers": {"schedule": self._scheduled}}
        return [row] if request.method == "GET" and not name.isdigit() else row
