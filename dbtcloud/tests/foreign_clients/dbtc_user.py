"""What users of dbtc write: it says as JSON what dbtc returned; nothing here knows what the server is."""

import json
import sys
from typing import Any

from dbtc import dbtCloudClient

ACCOUNT, SHORT, ENDLESS, DOOMED = 1, 70, 71, 72
MODELS = """
query ($environmentId: BigInt!, $first: Int!, $after: String) {
  environment(id: $environmentId) {
    applied {
      models(first: $first, after: $after) {
        edges { node { uniqueId } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""


def runs(cloud: Any) -> dict[str, Any]:
    """Trigger and poll; artifacts; cancel; retry."""
    run = cloud.trigger_job(ACCOUNT, SHORT, {"cause": "By contract"}, poll_interval=1)["data"]
    started = cloud.trigger_job(ACCOUNT, ENDLESS, {"cause": "By contract"}, should_poll=False)["data"]
    failed = cloud.trigger_job(ACCOUNT, DOOMED, {"cause": "By contract"}, poll_interval=1)["data"]
    again = cloud.trigger_job_from_failure(ACCOUNT, DOOMED, poll_interval=1)["data"]
    related = ["trigger", "job", "environment", "run_steps"]
    return {
        "run": cloud.get_run(ACCOUNT, run["id"], include_related=related)["data"],
        "artifacts": cloud.list_run_artifacts(ACCOUNT, run["id"])["data"],
        "results": cloud.get_run_artifact(ACCOUNT, run["id"], "run_results.json", step=1),
        "manifest": cloud.get_most_recent_run_artifact(ACCOUNT, "manifest.json", job_definition_id=SHORT),
        "cancelled": cloud.cancel_run(ACCOUNT, started["id"])["data"],
        "failed": failed,
        "again": again,
    }


def lists(cloud: Any) -> dict[str, Any]:
    """Lists, with the filters that it offers."""
    ordered = cloud.list_runs(ACCOUNT, project_id=[1], status=["success", "error"], order_by="-id", limit=2)
    return {
        "jobs": cloud.list_jobs(ACCOUNT, project_id=1, environment_id=2)["data"],
        "runs": ordered["data"],
        "pagination": ordered["extra"]["pagination"],
        "latest": cloud.get_most_recent_run(ACCOUNT, job_definition_id=SHORT)["data"],
        "project": cloud.get_project_by_name("Sample bakery")["data"],
        "environments": cloud.list_environments(ACCOUNT, 1, deployment_type="production")["data"],
    }


def jobs(cloud: Any) -> dict[str, Any]:
    """Create, change and delete a job."""
    job = cloud.get_job(ACCOUNT, 1)["data"]
    made = cloud.create_job(ACCOUNT, {**job, "id": None, "name": "Made"})["data"]
    changed = cloud.update_job(ACCOUNT, made["id"], {**made, "name": "Changed"})["data"]
    cloud.delete_job(ACCOUNT, made["id"])
    return {"made": made, "changed": changed, "gone": cloud.get_job(ACCOUNT, made["id"])["status"]["code"]}


def models(_: Any) -> Any:
    """Query Discovery; its host is made from the other one, and only the default's is found."""
    return dbtCloudClient(host="cloud.getdbt.com").metadata.query(MODELS, {"environmentId": 1, "first": 1})


if __name__ == "__main__":
    part = {"runs": runs, "lists": lists, "jobs": jobs, "models": models}[sys.argv[1]]
    print(json.dumps(part(dbtCloudClient().cloud)))  # noqa: T201 - the answer
