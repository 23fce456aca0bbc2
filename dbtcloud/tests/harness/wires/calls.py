"""Each call of the Admin API, and what it has to put on the wire."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from dbtcloud.client import endpoints as api
from dbtcloud.client.paging import list_rows
from dbtcloud.client.protocol import Call, Request, ask

IT = {"id": 1, "status": 10, "name": "it"}
PAGE = "limit=100&offset=0"


class Forgetful:
    """Takes a body and keeps nothing of it."""

    def begin(self, *, has_known_end: bool = True) -> None:
        pass

    def write(self, chunk: bytes) -> None:
        pass

    def end(self) -> None:
        pass


@dataclass(frozen=True)
class Case:
    """A call, and what it has to put on the wire."""

    call: Callable[[], Call[Any]]
    target: str
    method: str = "GET"
    body: dict[str, Any] | None = None
    accept: str = "application/json"
    data: Any = None


def lists(call: Callable[[], Call[Any]], target: str) -> Case:
    return Case(call, target, data=[])


def posts(call: Callable[[], Call[Any]], target: str, body: dict[str, Any] | None = None) -> Case:
    return Case(call, target, "POST", body, data=IT)


def gets(call: Callable[[], Call[Any]], target: str) -> Case:
    return Case(call, target, data=IT)


CASES = {
    "list_accounts": [lists(api.list_accounts, "/api/v3/accounts/")],
    "get_account": [gets(lambda: api.get_account(7), "/api/v2/accounts/7/")],
    "list_projects": [
        lists(lambda: api.list_projects(7), f"/api/v3/accounts/7/projects/?{PAGE}"),
        lists(
            lambda: api.list_projects("7", name_contains="Büro & Co/1"),
            f"/api/v3/accounts/7/projects/?name__icontains=B%C3%BCro%20%26%20Co%2F1&{PAGE}",
        ),
    ],
    "get_project": [gets(lambda: api.get_project(7, "8"), "/api/v3/accounts/7/projects/8/")],
    "list_environments": [
        lists(
            lambda: api.list_environments(7, 8, name_contains="Prod"),
            f"/api/v3/accounts/7/projects/8/environments/?name__icontains=Prod&{PAGE}",
        )
    ],
    "get_environment": [
        gets(lambda: api.get_environment(7, 8, 9), "/api/v3/accounts/7/projects/8/environments/9/")
    ],
    "list_jobs": [
        lists(
            lambda: api.list_jobs(7, project_id=8, environment_id=9, name_contains="100% +", order_by="-id"),
            "/api/v2/accounts/7/jobs/?project_id=8&environment_id=9&name__icontains=100%25%20%2B"
            f"&order_by=-id&{PAGE}",
        )
    ],
    "get_job": [gets(lambda: api.get_job(7, "70403110257794"), "/api/v2/accounts/7/jobs/70403110257794/")],
    "trigger_run": [
        posts(
            lambda: api.trigger_run(7, 70, {"cause": "Täglich 🥖", "steps_override": ["dbt build"]}),
            "/api/v2/accounts/7/jobs/70/run/",
            {"cause": "Täglich 🥖", "steps_override": ["dbt build"]},
        )
    ],
    "rerun_job": [posts(lambda: api.rerun_job(7, 70), "/api/v2/accounts/7/jobs/70/rerun/")],
    "list_runs": [
        lists(
            lambda: api.list_runs(7, include_related=["trigger", "job"], status__in=(1, 2), order_by=None),
            "/api/v2/accounts/7/runs/?include_related=%5B%22trigger%22%2C%22job%22%5D"
            f"&status__in=%5B1%2C2%5D&{PAGE}",
        )
    ],
    "list_runs_page": [
        lists(
            lambda: api.list_runs_page(7, pk__in=[70403110257794, 2], limit=2),
            "/api/v2/accounts/7/runs/?pk__in=%5B70403110257794%2C2%5D&limit=2",
        )
    ],
    "get_run": [
        gets(lambda: api.get_run(7, 42), "/api/v2/accounts/7/runs/42/"),
        gets(
            lambda: api.get_run(7, 42, include_related=["run_steps"]),
            "/api/v2/accounts/7/runs/42/?include_related=%5B%22run_steps%22%5D",
        ),
    ],
    "cancel_run": [posts(lambda: api.cancel_run(7, 42), "/api/v2/accounts/7/runs/42/cancel/")],
    "retry_run": [posts(lambda: api.retry_run(7, 42), "/api/v2/accounts/7/runs/42/retry/")],
    "list_artifacts": [
        lists(lambda: api.list_artifacts(7, 42, step=3), "/api/v2/accounts/7/runs/42/artifacts/?step=3")
    ],
    "get_artifact": [
        Case(
            lambda: api.get_artifact(7, 42, "compiled/shop/a b+ü~'(1).sql", step=4),
            "/api/v2/accounts/7/runs/42/artifacts/compiled/shop/a%20b%2B%C3%BC~%27%281%29.sql?step=4",
            accept="*/*",
        )
    ],
    "download_artifact": [
        Case(
            lambda: api.download_artifact(7, 42, "run/shop/a b.csv", Forgetful(), step=4),
            "/api/v2/accounts/7/runs/42/artifacts/run/shop/a%20b.csv?step=4",
            accept="*/*",
        )
    ],
    "download_run": [
        Case(
            lambda: api.download_run(7, 42, Forgetful(), debug=True),
            "/api/v2/accounts/7/runs/42/?include_related=%5B%22run_steps%22%2C%22debug_logs%22%5D",
        )
    ],
    "get_json_artifact": [
        Case(
            lambda: api.get_json_artifact(7, 42, "manifest.json"),
            "/api/v2/accounts/7/runs/42/artifacts/manifest.json",
            accept="*/*",
        )
    ],
    "get_data": [
        gets(
            lambda: api.get_data(Request.get(7, "jobs", query={"limit": 1})),
            "/api/v2/accounts/7/jobs/?limit=1",
        )
    ],
    "send": [
        Case(
            lambda: api.send(7, "patch", "jobs/70/", params={"a": True}, body={"name": "x"}),
            "/api/v2/accounts/7/jobs/70/?a=true",
            "PATCH",
            {"name": "x"},
            data=IT,
        ),
        gets(lambda: api.send(7, "GET", "/api/v3/steps/4", version="v2"), "/api/v3/steps/4"),
    ],
    "paging.list_rows": [
        lists(lambda: list_rows(Request.get(7, "runs"), dict), f"/api/v2/accounts/7/runs/?{PAGE}")
    ],
    "Request.custom": [
        gets(
            lambda: ask(Request.custom("get", "7/steps/4/", {"a": True}, "v3")),
            "/api/v3/accounts/7/steps/4/?a=true",
        ),
        Case(
            lambda: ask(Request.custom("GET", "7/runs/42/artifacts/a/b.json", {"step": 2}, "v2")),
            "/api/v2/accounts/7/runs/42/artifacts/a/b.json?step=2",
            accept="*/*",
        ),
        posts(
            lambda: ask(Request.custom("post", "7/jobs/70/run", {"cause": "x"}, "v2")),
            "/api/v2/accounts/7/jobs/70/run/",
            {"cause": "x"},
        ),
    ],
}
EACH = [pytest.param(case, id=f"{name}-{place}") for name in CASES for place, case in enumerate(CASES[name])]
