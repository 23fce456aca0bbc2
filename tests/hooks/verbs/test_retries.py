"""The hook retries a run by its id, or says what that would do."""

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudJobRunException
from airflow_dbt_cloud.hooks.dbt import DbtCloudApiException
from dbtcloud.client.errors import NotRetryable

RESULTS = {
    "results": [
        {"unique_id": "model.shop.orders", "status": "error"},
        {"unique_id": "model.shop.rates", "status": "success"},
    ]
}
JOB = {
    "id": 80,
    "name": "Shop",
    "execute_steps": ["dbt run -s tag:nightly --threads 8", "dbt test"],
    "pretend": {
        "running": 1,
        "outcome": 20,
        "steps": [
            {
                "name": "Invoke dbt with `dbt run -s tag:nightly --threads 8`",
                "command": "dbt run -s tag:nightly --threads 8",
                "outcome": 20,
            }
        ],
        "artifacts": {"run_results.json": RESULTS},
    },
}


@pytest.fixture
def failed(hook, dbt_cloud):
    dbt_cloud.control.seed(jobs=[JOB])
    run = hook.trigger_job_run(80, "x").json()["data"]["id"]
    dbt_cloud.control.advance(2)
    return run


def test_a_run_is_retried_by_its_id(hook, failed):
    assert hook.retry_job_run(failed).json()["data"]["retrying_run_id"] == failed


def test_a_lost_answer_leads_to_one_retry(hook, failed, dbt_cloud):
    dbt_cloud.control.add_fault("reset", after_acting=True, route="*/retry/", method="POST", count=1)
    retried = hook.retry_job_run(str(failed)).json()["data"]
    runs = hook.get_job_runs(payload={"job_definition_id": 80}).json()["data"]
    assert [run["retrying_run_id"] for run in runs] == [None, failed]
    assert retried["id"] == runs[-1]["id"]


def test_why_a_run_cannot_be_retried_is_told(hook, failed):
    hook.retry_job_run(failed)
    with pytest.raises(DbtCloudApiException, match="started again since") as caught:
        hook.retry_job_run(failed)
    assert isinstance(caught.value.error, NotRetryable)


def test_the_plan_of_a_run_holds_its_nodes_and_commands(hook, failed):
    plan = hook.get_job_run_retry_plan(failed)
    assert [node.unique_id for node in plan.nodes] == ["model.shop.orders"]
    assert plan.commands == (
        "dbt run --threads 8 --select fqn:orders,package:shop,file:orders",
        "dbt test",
    )


def test_a_run_that_has_left_out_a_node_of_a_plan_is_refused_by_the_nodes_name(hook, failed, dbt_cloud):
    plan = hook.get_job_run_retry_plan(failed)

    def run_plan(*nodes):
        results = {"results": [{"unique_id": name, "status": "success"} for name in nodes]}
        pretend = {**JOB["pretend"], "outcome": 10, "artifacts": {"run_results.json": results}}
        pretend["steps"] = [{**step, "outcome": 10} for step in pretend["steps"]]
        dbt_cloud.control.seed(jobs=[{**JOB, "pretend": pretend}])
        run = hook.trigger_job_run(80, "x", steps_override=list(plan.commands)).json()["data"]["id"]
        dbt_cloud.control.advance(2)
        return run

    hook.check_job_run_retry(run_plan("model.shop.orders", "model.shop.else"), plan)
    with pytest.raises(DbtCloudJobRunException, match=r"everything that was left to do: model orders\. dbt"):
        hook.check_job_run_retry(run_plan("model.shop.else"), plan)


def test_a_trigger_that_is_to_retry_what_cannot_be_retried_says_why_and_starts_anew(hook, dbt_cloud, capsys):
    dbt_cloud.control.seed(jobs=[{"id": 81, "name": "Odd", "pretend": {"outcome": 20}}])
    first = hook.trigger_job_run(81, "x").json()["data"]["id"]
    dbt_cloud.control.advance(1)
    second = hook.trigger_job_run(81, "x", retry_from_failure=True).json()["data"]
    assert (second["id"] > first, second["retrying_run_id"]) == (True, None)
    assert (
        f"Run {first} cannot be retried from its point of failure. It has no run_results.json"
        in capsys.readouterr().out
    )
