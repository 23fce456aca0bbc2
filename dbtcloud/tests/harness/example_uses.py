"""A use of each method of the clients and resources, the same for both faces."""

from collections.abc import Callable
from typing import Any


def method(*arguments: Any, **keywords: Any) -> Callable[[Any, str], Any]:
    """Calls a method with these arguments."""
    return lambda owner, name: getattr(owner, name)(*arguments, **keywords)


def read(owner: Any, name: str) -> Any:
    """Reads an attribute."""
    return getattr(owner, name)


QUERY = "query ($first: Int, $after: String) { a }"
VARIABLES = {"a": 1, "b": "ö"}
BODY = {"name": "ö", "steps": ["dbt build"]}
EVENTS = ["job.run.completed"]

# Of each method: one or more uses.
USES: dict[str, list[Callable[[Any, str], Any]]] = {
    "client.close": [method()],
    "client.request": [
        method("get", "steps/4/", params={"a": [1, "ö"], "b": None, "c": True}),
        method("POST", "/api/v3/accounts/1/projects/", json=BODY),
        method("DELETE", "projects/3/", version="v3"),
    ],
    "client.run_job_and_poll": [method(6), method("6", "why", ["dbt test"], "schema", 1, 60)],
    "client.trigger_job_run": [method(6, {"git_branch": "main"}), method(6)],
    "client.get_job": [method(6)],
    "client.get_run": [method(4), method(4, ["trigger", "run_steps"])],
    "client.list_run_artifacts": [method(4), method(4, step=1)],
    "client.get_run_artifact": [method(4, "manifest.json"), method(4, "compiled/a.sql", step=2)],
    "client.call_endpoint": [method("get", "/jobs/", {"a": 1}), method("POST", "/jobs/", json=BODY)],
    "metadata.close": [method()],
    "metadata.query": [method(QUERY, VARIABLES), method("{ a }")],
    "result.get_artifact": [method("manifest.json"), method("compiled/a.sql", step=2)],
    "result.raise_for_status": [method()],
    "result.report": [read],
    "accounts.list": [method()],
    "accounts.get": [method(), method(7)],
    "projects.list": [method(), method(name_contains="ö&a", limit=1)],
    "projects.get": [method(3)],
    "projects.create": [method("ö", description="d", later={"field": 1})],
    "projects.update": [method(3, name="ö", connection_id=None)],
    "projects.delete": [method(3)],
    "environments.list": [method(), method(3, name_contains="I", limit=4)],
    "environments.get": [method(2), method(2, 3)],
    "environments.create": [method(3, "ö", custom_branch="b")],
    "environments.update": [method(2, name="ö"), method(2, project_id=3, custom_branch=None)],
    "environments.delete": [method(2), method(2, 3)],
    "jobs.list": [method(), method(project_id=3, environment_id=2, name_contains="a b", limit=2)],
    "jobs.get": [method(6), method(" 6 ")],
    "jobs.find": [method(job="It"), method(job="It", project="It", environment="It")],
    "jobs.create": [method("ö", project_id=3, environment_id=2, execute_steps=["dbt build"])],
    "jobs.update": [method(6, name="ö", triggers={"schedule": False})],
    "jobs.delete": [method(6)],
    "jobs.run": [
        method(6, cause="ö", git_branch="main", steps_override=["dbt build"]),
        method(6, cause="why", once_key="a key"),
    ],
    "jobs.rerun": [method(6)],
    "jobs.disable_schedule": [method(6)],
    "runs.list": [
        method(),
        method(
            job_id=6,
            status=["error", 10],
            created_after="2026-01-01",
            include_related=["trigger", "job"],
            limit=3,
        ),
        method(project_id=3, environment_id=2, finished_after="2026-01-01T02:00+02:00", order_by="id"),
    ],
    "runs.get": [method(4), method(4, include_related=["run_steps", "debug_logs"])],
    "runs.wait": [method(4), method(4, timeout=60, interval=1, on_progress=bool)],
    "runs.watch": [method(4, timeout=60, interval=1)],
    "runs.logs": [method(4), method(4, follow=True, step=1, debug=True)],
    "runs.cancel": [method(4)],
    "runs.retry": [method(4)],
    "runs.retry_plan": [method(4)],
    "runs.report": [method(4)],
    "artifacts.list": [method(4), method(4, limit=1)],
    "artifacts.get": [method(4, "compiled/a.sql"), method(4, "compiled/ö.sql", step=2)],
    "artifacts.json": [method(4, "manifest.json"), method(4, "manifest.json", 2)],
    "artifacts.download": [method(4, "manifest.json", "file"), method(4, "**/*", "folder/", 1)],
    "webhooks.list": [method(), method(limit=1)],
    "webhooks.get": [method("wsu_4")],
    "webhooks.create": [method("ö", "https://example.com", EVENTS, job_ids=[6])],
    "webhooks.update": [method("wsu_4", active=False, job_ids=[])],
    "webhooks.delete": [method("wsu_4")],
    "webhooks.test": [method("wsu_4")],
    "environment_variables.list": [method(3), method(3, limit=1)],
    "environment_variables.create": [method(3, "DBT_ONE", {"project": "ö", "Production": "x"})],
    "environment_variables.update": [method(3, "DBT_ONE", "ö", new_name="DBT_TWO")],
    "environment_variables.delete": [method(3, "DBT_ONE")],
    "environment_variables.list_overrides": [method(6)],
    "environment_variables.set_override": [method(6, "DBT_ONE", "ö")],
    "environment_variables.delete_override": [method(6, "DBT_ONE")],
    "discovery.query": [method("{ a }"), method(QUERY, VARIABLES)],
    "discovery.paginate": [method(QUERY, "environment.applied.models", VARIABLES, page_size=2)],
    "discovery.models": [method(2), method(2, filter={"schema": "ö"})],
    "discovery.model": [method(2, "model.a.b")],
    "discovery.lineage": [method(2), method(2, select="+a", exclude="b", types=["Model"])],
    "discovery.source_freshness": [method(2)],
    "discovery.slowest": [method(2, limit=1)],
    "discovery.failing": [method(2)],
    "discovery.metrics": [method(2)],
}
