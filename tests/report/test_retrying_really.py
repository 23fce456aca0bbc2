"""A retry, and a retry plan's commands, execute exactly what failed or was skipped, as dbt itself tells."""

import re
import time

import pytest
import trap_project

from airflow_dbt_cloud.client import endpoints, sync
from airflow_dbt_cloud.client.credentials import Credentials
from airflow_dbt_cloud.local.server import LocalDbtCloud
from airflow_dbt_cloud.report.planning import plan_retry

pytestmark = pytest.mark.dbt

VARS = """--vars '{"x": "-s a"}'"""
LATER = "dbt run --select orders"


class Cloud:
    """A local dbt Cloud with the project in it, and a client."""

    def __init__(self, server, client):
        self.server, self.client = server, client

    def ask(self, call):
        return self.client.ask(call)

    def ended(self, call):
        """Start a run and wait for its end."""
        run, give_up = self.ask(call), time.monotonic() + 120
        while not run.finished:
            assert time.monotonic() < give_up
            time.sleep(0.1)
            run = self.ask(endpoints.get_run(1, run.id, include_related=["run_steps"]))
        return run

    def start(self, job_id, **body):
        return self.ended(endpoints.trigger_run(1, job_id, {"cause": "A test", **body}))

    def results(self, run):
        """Each node's status by its unique id, without the hashes of tests, over all steps with results."""
        found = {}
        for step in run.steps:
            if "`dbt" in step.name:
                path = "run_results.json"
                answer = self.ask(endpoints.get_json_artifact(1, run.id, path, step=step.index))
                found |= {plain(each["unique_id"]): each["status"] for each in answer["results"]}
        return found


def plain(unique_id):
    return re.sub(r"\.[0-9a-f]{10}$", "", unique_id)


def unsuccessful(statuses):
    return {name for name, status in statuses.items() if status in {"error", "fail", "skipped"}}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    project = trap_project.write(tmp_path_factory.mktemp("shop"))
    with LocalDbtCloud() as server:
        credentials = Credentials(base_url=server.url, token=server.token)
        with sync.Client(credentials) as client:
            server.control.seed(projects=[{"id": 9, "name": "Shop", "project_dir": str(project)}])
            yield Cloud(server, client)


COMMANDS = {
    "with a selector": f"dbt build --selector nightly {VARS} --threads 2",
    "with a selection": f"dbt --quiet build -s path:models path:tests --exclude tag:excluded {VARS} -x",
}


@pytest.fixture(scope="module", params=COMMANDS.values(), ids=COMMANDS)
def failed(request, cloud):
    number = 90 + list(COMMANDS.values()).index(request.param)
    environment = {"id": number, "name": f"Shop {number}", "project_id": 9, "schema": "shop"}
    job = {"id": number, "name": f"Shop {number}", "project_id": 9, "environment_id": number}
    job["execute_steps"] = [request.param, LATER]
    cloud.server.control.seed(environments=[environment], jobs=[job])
    return cloud.start(number)


def test_a_retry_and_its_plan_execute_exactly_what_failed_or_was_skipped(cloud, failed):
    statuses = cloud.results(failed)
    left = unsuccessful(statuses)
    if " -x`" not in failed.steps[-1].name:
        assert left == trap_project.LEFT_TO_DO
        assert statuses["test.shop.all_of_them_warn"] == "warn"

    plan = cloud.ask(plan_retry(1, failed.id))
    assert {plain(node.unique_id) for node in plan.nodes} == left
    assert plan.commands[1:] == (LATER,)
    assert plan.notes == ()

    retried = cloud.ended(endpoints.retry_run(1, failed.id))
    assert retried.data["retrying_run_id"] == failed.id
    assert set(cloud.results(retried)) == left
    again = cloud.ask(plan_retry(1, retried.id))
    assert {plain(node.unique_id) for node in again.nodes} == unsuccessful(cloud.results(retried))
    assert again.commands[0].startswith(plan.commands[0].partition(" --select ")[0])
    assert (again.commands[1:], again.notes) == ((LATER,), ())

    planned = cloud.start(failed.job_id, steps_override=list(plan.commands))
    assert set(cloud.results(planned)) == left
