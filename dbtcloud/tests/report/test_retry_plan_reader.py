"""A retry plan is made of the run, its results, and the command that a retry stands for."""

import json

import pytest

from dbtcloud.client import endpoints
from dbtcloud.client.errors import ApiError
from dbtcloud.client.protocol import Response
from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.sync_client import SyncClient, run_call
from dbtcloud.report.retry_plan_reader import read_retry_plan

COMMAND = "dbt --target docs build -s a"
NARROWABLE = (
    "dbt --target docs build --select fqn:a,package:shop,file:a,resource_type:model "
    "--indirect-selection empty"
)
RESULTS = {"results": [{"unique_id": "model.shop.a", "status": "error"}]}


@pytest.fixture
def client(dbt_cloud):
    with SyncClient(Credentials(base_url=dbt_cloud.url, token=dbt_cloud.token), NO_RETRY) as client:
        yield client


@pytest.fixture
def job(dbt_cloud):
    """Makes job 70 run these (command, outcome)."""

    def seed(*steps, outcome=20, results=RESULTS):
        named = [
            {"name": f"Invoke dbt with `{text}`", "command": text, "outcome": end} for text, end in steps
        ]
        artifacts = {"run_results.json": results}
        pretend = {"outcome": outcome, "steps": named, "artifacts": artifacts}
        commands = [COMMAND, "dbt test"]
        dbt_cloud.control.seed(jobs=[{"id": 70, "name": "A", "execute_steps": commands, "pretend": pretend}])

    return seed


def started(client, dbt_cloud, call):
    run = client.ask(call)
    dbt_cloud.control.advance(1)
    return run.id


def asked_for(dbt_cloud):
    requests = dbt_cloud.control.requests()
    return [each["target"].rpartition("?")[2] for each in requests if "run_results.json" in each["target"]]


def test_results_are_asked_for_of_commands_with_nodes_only(client, dbt_cloud, job):
    job(("dbt deps", 10), ("dbt docs generate", 10), (COMMAND, 20))
    run = started(client, dbt_cloud, endpoints.trigger_run(1, 70, {"cause": "x"}))
    assert client.ask(read_retry_plan(1, run)).commands == (NARROWABLE, "dbt test")
    assert asked_for(dbt_cloud) == ["step=3"]


def test_of_a_success_nothing_is_asked_for(client, dbt_cloud, job):
    job((COMMAND, 10), outcome=10)
    run = started(client, dbt_cloud, endpoints.trigger_run(1, 70, {"cause": "x"}))
    assert client.ask(read_retry_plan(1, run)).commands == ()
    assert asked_for(dbt_cloud) == []


def test_a_retry_of_a_retry_stands_for_the_command_at_the_beginning(client, dbt_cloud, job):
    job((COMMAND, 20))
    run = started(client, dbt_cloud, endpoints.trigger_run(1, 70, {"cause": "x"}))
    job(("dbt retry", 20))
    for _ in range(2):
        run = started(client, dbt_cloud, endpoints.retry_run(1, run))
    plan = client.ask(read_retry_plan(1, run))
    assert (plan.commands, plan.notes) == ((NARROWABLE, "dbt test"), ())


@pytest.mark.parametrize(
    "steps",
    [
        [("dbt test", 20), (COMMAND, 20)],
        [(COMMAND, 20), ("dbt docs generate", 10)],
    ],
    ids=["the last that failed", "none that succeeded"],
)
def test_a_retry_stands_for_the_last_command_that_failed(client, dbt_cloud, job, steps):
    job(*steps)
    run = started(client, dbt_cloud, endpoints.trigger_run(1, 70, {"cause": "x"}))
    job(("dbt retry", 20))
    run = started(client, dbt_cloud, endpoints.retry_run(1, run))
    assert client.ask(read_retry_plan(1, run)).commands[0] == NARROWABLE


def test_commands_that_were_not_reached_are_those_of_the_runs_own_trigger(client, dbt_cloud, job):
    job((COMMAND, 20))
    payload = {"cause": "x", "steps_override": [COMMAND, "dbt snapshot"]}
    run = started(client, dbt_cloud, endpoints.trigger_run(1, 70, payload))
    assert client.ask(read_retry_plan(1, run)).commands == (NARROWABLE, "dbt snapshot")


def test_a_failed_step_that_is_no_dbt_command_does_not_hide_the_command_at_the_beginning():
    """The local dbt Cloud retries no such run, so its answers are written down here."""
    names = {
        3: ["Invoke dbt with `dbt retry`"],
        2: ["Invoke dbt with `dbt retry`", "Store the logs"],
        1: [f"Invoke dbt with `{COMMAND}`"],
    }

    def send(request):
        if "run_results.json" in request.path:
            return Response(404, {}, b"{}")
        run_id = int(request.path.split("/")[-2])
        steps = [{"index": n, "name": name, "status": 20} for n, name in enumerate(names[run_id], start=1)]
        run = {"id": run_id, "status": 20, "retrying_run_id": run_id - 1 or None, "run_steps": steps}
        return Response(200, {}, json.dumps({"data": run}).encode())

    assert run_call(read_retry_plan(1, 3), send, retry=NO_RETRY).commands == (COMMAND,)


def test_a_plan_of_what_cannot_be_read_is_none(client, dbt_cloud, job):
    job((COMMAND, 20))
    run = started(client, dbt_cloud, endpoints.trigger_run(1, 70, {"cause": "x"}))
    dbt_cloud.control.add_fault("status", status=403, route="*/run_results.json")
    with pytest.raises(ApiError, match="403"):
        client.ask(read_retry_plan(1, run))


def test_results_that_are_none_are_refused(client, dbt_cloud, job):
    job((COMMAND, 20), results={"results": None})
    run = started(client, dbt_cloud, endpoints.trigger_run(1, 70, {"cause": "x"}))
    with pytest.raises(ValueError, match="no 'results'"):
        client.ask(read_retry_plan(1, run))
