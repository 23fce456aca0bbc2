"""A report is put together from the run and the results of its dbt commands."""

import pytest

from dbtcloud.client.models import Step
from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.sync_client import SyncClient, run_call
from dbtcloud.report.run_report_reader import DbtStep, read_run_report
from recorded_run import failed_run


@pytest.fixture
def report(dbt_cloud):
    """Starts a job, and reports on its run once that has ended."""
    with SyncClient(Credentials(base_url=dbt_cloud.url, token=dbt_cloud.token), NO_RETRY) as client:
        from dbtcloud.client import endpoints

        def make(job_id, sleep=None):
            run = client.ask(endpoints.trigger_run(1, job_id, {"cause": "a test"}))
            dbt_cloud.control.advance(60)
            if sleep is None:
                return client.ask(read_run_report(1, run.id))
            return run_call(read_run_report(1, run.id), client.send, retry=NO_RETRY, sleep=sleep)

        yield make


def results(*nodes):
    return {"results": [{"unique_id": name, "status": status} for name, status in nodes]}


def simulated(steps, artifacts, outcome=20, **step):
    script = {"running": 1, "outcome": outcome, "artifacts": artifacts}
    named = [{"name": name, "seconds": 0.1, "outcome": outcome, **step} for name in steps]
    return {
        "id": 70,
        "name": "Told",
        "project_id": 1,
        "environment_id": 1,
        "pretend": {**script, "steps": named},
    }


@pytest.mark.parametrize(
    ("name", "tells"),
    [
        ("Invoke dbt with `dbt --target docs build`", True),
        ("Invoke dbt with `dbt --target test docs generate`", False),
        ("Invoke dbt with `dbt -t source run --select x`", True),
        ("Invoke dbt with `dbt build`", True),
        ("Invoke dbt with `dbt --no-use-colors run --select docs`", True),
        ("Invoke dbt with `dbt docs generate --select run`", False),
        ("Invoke dbt with `dbt deps`", False),
        ("Invoke dbt with `dbt source freshness`", False),
        ("Clone git repository", False),
    ],
)
def test_only_commands_that_build_or_test_tell_what_became_of_nodes(name, tells):
    assert DbtStep(Step(1, name, 10)).builds_nodes is tells


def test_results_are_asked_for_of_building_steps_only(dbt_cloud, report):
    steps = ["Clone git repository", "Invoke dbt with `dbt build`", "Invoke dbt with `dbt docs generate`"]
    dbt_cloud.control.seed(jobs=[simulated(steps, {"run_results.json": results(("model.a.b", "error"))})])
    found = report(70)
    assert [node.unique_id for node in found.failed] == ["model.a.b"]
    asked = [
        request["target"] for request in dbt_cloud.control.requests() if "artifacts/" in request["target"]
    ]
    assert [target.split("/artifacts/")[1] for target in asked] == ["run_results.json?step=2", ""]


def test_a_step_without_results_is_no_gap_and_a_damaged_file_is(dbt_cloud, report):
    steps = ["Invoke dbt with `dbt build`"]
    dbt_cloud.control.seed(jobs=[simulated(steps, {})])
    assert (report(70).nodes, report(70).gaps) == ((), ())
    dbt_cloud.control.reset()
    dbt_cloud.control.seed(jobs=[simulated(steps, {"run_results.json": "{cut"})])
    found = report(70)
    assert found.run.status == 20
    assert "results of step 1" in found.gaps[0]


SUMMED_UP = "12:00:00  Done. PASS=0 WARN=0 ERROR=1 SKIP=0 NO-OP=0 TOTAL=1\n"
SUMMED_UP_BY_DBT_2 = "Finished 'build' with 1 error [2.1s]\nProcessed: 1 model\nSummary: 1 total | 1 error\n"


@pytest.mark.parametrize(
    ("outcome", "log"),
    [(10, ""), (20, SUMMED_UP), (20, SUMMED_UP_BY_DBT_2)],
    ids=["ended well", "summed up in the log", "summed up by dbt 2.0"],
)
def test_results_that_there_must_be_are_looked_for_again(dbt_cloud, report, outcome, log):
    stored = {"run_results.json": results(("model.a.b", "success"))}
    job = simulated(["Invoke dbt with `dbt build`"], stored, outcome, logs=log)
    dbt_cloud.control.seed(jobs=[job])
    dbt_cloud.control.add_fault("status", status=404, route="*/run_results.json", count=2)
    pauses = []
    found = report(70, sleep=pauses.append)
    assert [node.unique_id for node in found.nodes] == ["model.a.b"]
    assert (found.gaps, pauses) == ((), [0.5, 1.0])


def test_results_that_stay_away_are_a_gap(dbt_cloud, report):
    dbt_cloud.control.seed(jobs=[simulated(["Invoke dbt with `dbt build`"], {}, outcome=10)])
    dbt_cloud.control.add_fault("status", status=404, route="*/run_results.json")
    pauses = []
    found = report(70, sleep=pauses.append)
    assert sum(pauses) == 10
    assert found.nodes == ()
    assert "The results of step 1, Invoke dbt with `dbt build`, cannot be read" in found.gaps[0]


def test_results_of_a_project_that_does_not_compile_are_not_waited_for(dbt_cloud, report):
    job = simulated(["Invoke dbt with `dbt build`"], {}, logs="Compilation Error in model b\n")
    dbt_cloud.control.seed(jobs=[job])
    pauses = []
    found = report(70, sleep=pauses.append)
    assert (found.gaps, found.nodes, pauses) == ((), (), [])


BATCH = """12:00:00  Unhandled error while executing
Exception on worker thread. Conversion Error: 'x' is no number
12:00:00  Batch 2 of 4 ERROR creating batch 2026-11-26 of prod.daily .... [ERROR in 0.06s]
"""


def test_a_node_without_a_message_has_that_of_its_steps_log(dbt_cloud, report):
    node = {"unique_id": "model.a.daily", "status": "partial success", "message": "PARTIAL SUCCESS (3/4)"}
    artifacts = {"run_results.json": {"results": [node]}}
    dbt_cloud.control.seed(jobs=[simulated(["Invoke dbt with `dbt build`"], artifacts, logs=BATCH)])
    assert report(70).nodes[0].message == "PARTIAL SUCCESS (3/4): Conversion Error: 'x' is no number"


def test_nodes_are_told_with_their_compiled_code_and_without_it_where_the_list_cannot_be_read(
    dbt_cloud, report
):
    code = "compiled/a/models/b.sql"
    artifacts = {"run_results.json": results(("model.a.b", "error")), code: "select 1"}
    dbt_cloud.control.seed(jobs=[simulated(["Invoke dbt with `dbt build`"], artifacts)])
    assert report(70).nodes[0].compiled_path == code
    assert report(70).to_dict()["nodes"][0]["compiled_path"] == code
    dbt_cloud.control.add_fault("status", route="*/artifacts/", status=500)
    found = report(70)
    assert (found.nodes[0].compiled_path, found.nodes[0].status) == (None, "error")


@pytest.mark.dbt
def test_a_real_failed_build_names_the_nodes_and_the_databases_words(dbt_cloud, report):
    found = report(failed_run().seed(dbt_cloud))
    by_name = {node.name: node for node in found.nodes}
    assert by_name["burnt_batches"].status == "error"
    assert "Could not convert string" in by_name["burnt_batches"].message
    assert by_name["burnt_batches"].compiled_path == "compiled/bakery/models/rehearsal/burnt_batches.sql"
    assert by_name["burnt_batches"].relation == '"warehouse"."prod"."burnt_batches"'
    assert by_name["no_sale_on_a_sunday"].compiled_path == "compiled/bakery/tests/no_sale_on_a_sunday.sql"
    assert by_name["no_sale_on_a_sunday"].failures > 0
    assert [node.name for node in found.skipped] == ["burnt_losses"]
