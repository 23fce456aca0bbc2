"""A retry, and a retry plan's commands, execute exactly what failed or was skipped, as dbt itself tells."""

import re
import time
from dataclasses import dataclass

import pytest

import trap_project
from dbtcloud.client import endpoints
from dbtcloud.client.models import Run
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.sync_client import SyncClient
from dbtcloud.local.server.in_thread import LocalDbtCloud
from dbtcloud.report.retry_plan import RetryPlan
from dbtcloud.report.retry_plan_reader import read_node_results, read_retry_plan
from dbtcloud.report.run_report_reader import read_run_report

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

    def batches(self, run):
        """The batches of the microbatch model in a run, or None if dbt did not execute any."""
        steps = [step.index for step in run.steps if "fqn:yearly" in step.name] or [
            step.index for step in run.steps if "`dbt" in step.name
        ]
        answer = self.ask(endpoints.get_json_artifact(1, run.id, "run_results.json", step=steps[0]))
        found = {each["unique_id"]: each["batch_results"] for each in answer["results"]}
        return found.get("model.shop.yearly")

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
    return {name for name, status in statuses.items() if status not in {"success", "pass", "warn", "no-op"}}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    project = trap_project.write(tmp_path_factory.mktemp("shop"))
    with LocalDbtCloud() as server:
        credentials = Credentials(base_url=server.url, token=server.token)
        with SyncClient(credentials) as client:
            server.control.seed(projects=[{"id": 9, "name": "Shop", "project_dir": str(project)}])
            yield Cloud(server, client)


# At a failure, --fail-fast cancels what other threads execute: dbt-duckdb may crash and leave no results.
COMMANDS = {
    "with a selector": f"dbt build --selector nightly {VARS} --threads 2",
    "with a selection": "dbt -q build -s path:models path:tests --exclude tag:excluded "
    f"{VARS} --threads 1 -x",
}


@dataclass
class Story:
    """A run that failed, the retry of it, the retry of that, and a run by the commands of its plan."""

    failed: Run
    plan: RetryPlan
    retried: Run
    next_plan: RetryPlan
    again: Run
    planned: Run


PARAMETERS = [
    pytest.param(COMMANDS["with a selector"], id="with a selector"),
    # The same story over another way to select.
    pytest.param(COMMANDS["with a selection"], id="with a selection", marks=pytest.mark.extensive),
]


@pytest.fixture(scope="module", params=PARAMETERS)
def story(request, cloud):
    number = 90 + list(COMMANDS.values()).index(request.param)
    environment = {"id": number, "name": f"Shop {number}", "project_id": 9, "schema": "shop"}
    job = {"id": number, "name": f"Shop {number}", "project_id": 9, "environment_id": number}
    job["execute_steps"] = [request.param, LATER]
    cloud.server.control.seed(environments=[environment], jobs=[job])
    failed = cloud.start(number)
    plan = cloud.ask(read_retry_plan(1, failed.id))
    retried = cloud.ended(endpoints.retry_run(1, failed.id))
    next_plan = cloud.ask(read_retry_plan(1, retried.id))
    again = cloud.ended(endpoints.retry_run(1, retried.id))
    planned = cloud.start(number, steps_override=list(plan.commands))
    return Story(failed, plan, retried, next_plan, again, planned)


def test_what_fails_or_is_skipped_is_what_was_made_to(cloud, story):
    statuses = cloud.results(story.failed)
    if story.failed.steps[-1].name.endswith(" -x`"):
        assert unsuccessful(statuses) > {name for name in statuses if statuses[name] in {"error", "fail"}}
    else:
        assert unsuccessful(statuses) == trap_project.LEFT_TO_DO
        assert statuses["test.shop.all_of_them_warn"] == "warn"


def test_each_node_that_failed_is_told_with_its_own_code(cloud, story):
    report = cloud.ask(read_run_report(1, story.failed.id))
    codes = {
        plain(node.unique_id): cloud.ask(endpoints.get_artifact(1, story.failed.id, node.compiled_path)).body
        for node in report.failed
        if node.compiled_path
    }
    expected = {"test.shop.orders": b'"orders"', trap_project.LONG_NAMED: b"108", "model.shop.rates": b"-s a"}
    told = expected.keys() & {plain(node.unique_id) for node in report.failed}
    assert told == expected.keys() or story.failed.steps[-1].name.endswith(" -x`")
    assert all(expected[name] in codes[name] for name in told)


def test_a_retry_executes_exactly_what_failed_or_was_skipped(cloud, story):
    assert story.retried.data["retrying_run_id"] == story.failed.id
    assert set(cloud.results(story.retried)) == unsuccessful(cloud.results(story.failed))


def test_a_retry_of_the_retry_executes_exactly_what_that_left(cloud, story):
    assert story.again.data["retrying_run_id"] == story.retried.id
    assert set(cloud.results(story.again)) == unsuccessful(cloud.results(story.retried))


def test_the_plan_names_what_a_retry_executes(cloud, story):
    for plan, run in ((story.plan, story.retried), (story.next_plan, story.again)):
        assert {plain(node.unique_id) for node in plan.nodes} == set(cloud.results(run))
        assert (plan.commands[-1], plan.notes) == (LATER, ())
        assert all(VARS in command for command in plan.commands[:-1])


def test_the_commands_of_the_plan_execute_what_a_retry_does(cloud, story):
    """The variables are the job's own: without them the project refuses to build."""
    assert set(cloud.results(story.planned)) == set(cloud.results(story.retried))


def test_the_commands_of_the_plan_build_the_failed_batch_only(cloud, story):
    """With --fail-fast, dbt may end before it comes to the model."""
    built, again = cloud.batches(story.failed), cloud.batches(story.planned)
    if built is not None:
        assert [start[:4] for start, _ in built["failed"]] == ["2024"]
        assert (again["successful"], again["failed"]) == (built["failed"], [])


def test_nothing_of_the_plan_is_left_out(cloud, story):
    assert story.plan.unexecuted(cloud.ask(read_node_results(1, story.planned.id))) == ()
