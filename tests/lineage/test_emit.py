"""OpenLineage events of a run."""

import json
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
import requests

from airflow_dbt_cloud.operators.dbt import DbtCloudRetryJobRunOperator, DbtCloudRunJobOperator
from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor
from lineage_types import faults
from recorded_run import failed_run, successful_run
from small_artifacts import catalog, manifest, run_results

WHOLE = {
    "steps/1/manifest.json": manifest(),
    "steps/1/run_results.json": run_results("first"),
    "steps/2/manifest.json": manifest(),
    "steps/2/run_results.json": run_results("second"),
    "steps/3/catalog.json": catalog(),
    "steps/3/manifest.json": manifest(),
    "steps/3/run_results.json": run_results("docs"),
}
RUN, NODE, TASK = "Sample bakery.Nightly", "shop.prod.shop.orders", "nightly.build"


def without(*names):
    return {path: content for path, content in WHOLE.items() if path not in names}


def of(events, name):
    return [event for event in events if event["job"]["name"] == name]


def invocations(events):
    """The dbt invocation of each event of the node, and how it went."""
    return [
        (each["run"]["facets"]["dbt_run"]["invocation_id"], each["eventType"]) for each in of(events, NODE)
    ]


@cache
def facet_classes() -> dict[str, Any]:
    """The classes of the OpenLineage libraries by the address of their schema."""
    import openlineage.client.facet_v2
    import openlineage.common.provider.dbt.facets  # noqa: F401 - loads them
    from openlineage.client.facet import BaseFacet as EarlierFacet
    from openlineage.client.generated.base import BaseFacet

    def below(kind):
        return {kind, *(each for child in kind.__subclasses__() for each in below(child))}

    kinds = (below(BaseFacet) | below(EarlierFacet)) - {BaseFacet, EarlierFacet}
    # attrs builds each class twice, for its slots; the first one stays among the subclasses until collected.
    return {kind._get_schema(): kind for kind in kinds if "__attrs_attrs__" in vars(kind)}


def validated(event):
    """The event by OpenLineage's own classes, whose validators refuse what is no UUID, time or URI."""
    from openlineage.client import event_v2

    assert faults(without_schema(event), event_v2.RunEvent, facet_classes()) == []

    def facets(found):
        for facet in found.values():
            fields = {name: value for name, value in facet.items() if not name.startswith("_")}
            facet_classes()[facet["_schemaURL"]](**fields)
        return found

    def dataset(kind, data):
        data = {name: value for name, value in data.items() if name != "_producer"}
        for group in ("facets", "inputFacets", "outputFacets"):
            facets(data.get(group, {}))
        return kind(**data)

    return event_v2.RunEvent(
        eventTime=event["eventTime"],
        eventType=event_v2.RunState[event["eventType"]],
        producer=event["producer"],
        run=event_v2.Run(event["run"]["runId"], facets(event["run"]["facets"])),
        job=event_v2.Job(event["job"]["namespace"], event["job"]["name"], facets(event["job"]["facets"])),
        inputs=[dataset(event_v2.InputDataset, each) for each in event["inputs"]],
        outputs=[dataset(event_v2.OutputDataset, each) for each in event["outputs"]],
    )


def without_schema(event):
    """The event but for the address of its own schema, which is no field of the class."""
    return {name: value for name, value in event.items() if name != "schemaURL"}


def test_the_check_finds_what_the_schema_does_not_allow(build, shop, emitted):
    from openlineage.client import event_v2

    build(job_id=shop(WHOLE))
    event = without_schema(of(emitted(), NODE)[-1])
    event["run"].pop("runId")
    event["outputs"][0]["facets"]["schema"]["fields"][0]["name"] = 5
    event["job"]["facets"]["jobType"]["colour"] = "red"
    found = faults(event, event_v2.RunEvent, facet_classes())
    assert len(found) == 3
    assert {each.rpartition(" ")[2] for each in found} >= {"runId", "colour"}


@pytest.mark.dbt
def test_the_events_of_each_step_come_from_its_own_artifacts(build, dbt_cloud, emitted):
    outcome = build(job_id=successful_run().seed(dbt_cloud))
    assert outcome.state == "success"
    events = emitted()
    ours = [event for event in events if "airflow-dbt-cloud" in event["producer"]]
    assert all(validated(event) for event in ours)

    run_id = outcome.xcoms("build")["job_run_id"]
    invocation = {step: _artifact(dbt_cloud, run_id, step)["metadata"]["invocation_id"] for step in (3, 4, 5)}
    nodes = [event for event in ours if "dbt_run" in event["run"]["facets"]]
    by_step = {
        step: {event["job"]["name"] for event in nodes if _invocation(event) == invocation[step]}
        for step in invocation
    }
    assert "warehouse.prod.bakery.stg_sales.build.run" in by_step[3]
    assert "warehouse.prod.bakery.stg_sales.build.test" in by_step[3]
    assert "warehouse.prod.bakery.daily_takings" in by_step[4]
    assert not by_step[5]
    assert len(nodes) == sum(_invocation(event) in (invocation[3], invocation[4]) for event in nodes)

    (output,) = of(nodes, "warehouse.prod.bakery.daily_takings")[-1]["outputs"]
    types = {field["name"]: field.get("type") for field in output["facets"]["schema"]["fields"]}
    assert all(types.values()), "types are in the catalog alone"

    task = of(events, TASK)[-1]["run"]["runId"]
    assert {event["run"]["facets"]["parent"]["run"]["runId"] for event in ours} == {task}
    roots = {event["run"]["facets"]["parent"]["root"]["job"]["name"] for event in ours}
    assert roots == {"nightly"}


def _invocation(event):
    return event["run"]["facets"]["dbt_run"]["invocation_id"]


def _artifact(cloud, run_id, step):
    url = f"{cloud.url}/api/v2/accounts/1/runs/{run_id}/artifacts/run_results.json"
    headers = {"Authorization": f"Token {cloud.token}"}
    return requests.get(url, params={"step": step}, headers=headers, timeout=10).json()


@pytest.mark.dbt
def test_a_failed_dbt_run_and_its_model_are_emitted_as_failed(build, dbt_cloud, emitted):
    assert build(job_id=failed_run().seed(dbt_cloud)).state == "failed"
    ended = {event["job"]["name"]: event["eventType"] for event in emitted()}
    assert ended["Sample bakery.Failing build"] == "FAIL"
    assert ended["warehouse.prod.bakery.burnt_batches.build.run"] == "FAIL"
    assert ended[TASK] == "FAIL"


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_runs_events_have_its_own_times_and_the_task_as_parent(build, shop, emitted, deferrable):
    assert build(job_id=shop(WHOLE), deferrable=deferrable).state == "success"
    start, end = of(emitted(), RUN)
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"]
    assert start["run"]["facets"]["parent"]["run"]["runId"] == of(emitted(), TASK)[-1]["run"]["runId"]
    assert start["eventTime"] <= end["eventTime"]
    assert validated(start)


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_start_event_is_emitted_once_while_the_run_is_still_running(build, jobs, emitted, deferrable):
    outcome = build(job_id=jobs.quick, deferrable=deferrable, check_interval=0.1)
    assert outcome.state == "success"
    names = [event["job"]["name"] for event in emitted()]
    states = [event["eventType"] for event in of(emitted(), "Sample bakery.Quick")]
    assert states == ["START", "COMPLETE"]
    assert names.index(TASK) < names.index("Sample bakery.Quick")
    completed = [
        event for event in emitted() if (event["job"]["name"], event["eventType"]) == (TASK, "COMPLETE")
    ]
    assert emitted().index(of(emitted(), "Sample bakery.Quick")[0]) < emitted().index(completed[0])


def test_a_task_that_does_not_wait_emits_the_start_event(build, jobs, emitted):
    build(job_id=jobs.endless, wait_for_termination=False)
    (start,) = of(emitted(), "Sample bakery.Endless")
    assert start["eventType"] == "START"
    assert start["run"]["facets"]["parent"]["run"]["runId"] == of(emitted(), TASK)[-1]["run"]["runId"]
    assert validated(start)


def test_a_start_event_that_cannot_be_emitted_does_not_delay_the_task(build, jobs, emitted, dbt_cloud):
    dbt_cloud.control.add_fault("status", route="*/runs/*", status=403, method="GET", count=1)
    outcome = build(job_id=jobs.instant)
    assert outcome.state == "success"
    assert "Could not emit the OpenLineage start event of run" in outcome.log


@pytest.mark.filterwarnings("ignore:.*legacy config options")
def test_a_task_with_openlineage_disabled_emits_no_start_event(build, jobs, emitted, monkeypatch):
    place = f"{DbtCloudRunJobOperator.__module__}.{DbtCloudRunJobOperator.__name__}"
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__DISABLED_FOR_OPERATORS", place)
    build(job_id=jobs.instant)
    assert not of(emitted(), "Sample bakery.Instant")


def test_all_steps_that_build_nodes_are_emitted_but_not_the_docs_step(build, shop, emitted):
    build(job_id=shop(WHOLE))
    each = [("first", "START"), ("first", "COMPLETE"), ("second", "START"), ("second", "COMPLETE")]
    assert invocations(emitted()) == each


@pytest.mark.parametrize(
    ("lost", "artifacts"),
    [
        ("manifest.json", without("steps/1/manifest.json")),
        ("run_results.json", {**WHOLE, "steps/1/run_results.json": "no JSON"}),
    ],
)
def test_an_unreadable_artifact_costs_the_events_of_its_step_only(build, shop, emitted, lost, artifacts):
    outcome = build(job_id=shop(artifacts))
    assert outcome.state == "success"
    assert invocations(emitted()) == [("second", "START"), ("second", "COMPLETE")]
    assert f"Could not read {lost} of step 1" in outcome.log


def test_a_damaged_artifact_costs_the_events_of_its_step_only(build, shop, emitted):
    outcome = build(job_id=shop({**WHOLE, "steps/1/manifest.json": {"metadata": {}, "nodes": 5}}))
    assert outcome.state == "success"
    assert invocations(emitted()) == [("second", "START"), ("second", "COMPLETE")]
    assert "No OpenLineage events of step 1" in outcome.log


@pytest.mark.parametrize(("artifacts", "kind"), [(WHOLE, "BIGINT"), (without("steps/3/catalog.json"), None)])
def test_without_the_catalog_of_the_docs_step_only_the_types_are_missing(
    build, shop, emitted, artifacts, kind
):
    build(job_id=shop(artifacts))
    (output,) = of(emitted(), NODE)[-1]["outputs"]
    (column,) = output["facets"]["schema"]["fields"]
    assert (column["name"], column.get("type"), column["description"]) == ("id", kind, "Its number")


def test_an_unknown_adapter_is_not_taken_for_another(build, shop, emitted):
    strange = {**WHOLE, "steps/1/manifest.json": manifest("teradata")}
    outcome = build(job_id=shop(strange))
    assert [invocation for invocation, _ in invocations(emitted())] == ["second", "second"]
    assert "Passed teradata" in outcome.log


def test_an_unreadable_project_costs_only_its_name(build, shop, emitted, dbt_cloud):
    job_id = shop(WHOLE)
    dbt_cloud.control.add_fault("status", route="*/projects/*", status=403)
    outcome = build(job_id=job_id)
    assert "Could not read project 1 for OpenLineage" in outcome.log
    assert len(of(emitted(), "1.Nightly")) == 2
    assert len(invocations(emitted())) == 4


def test_the_sensor_emits_events_too(build, shop, emitted, jobs):
    run_id = jobs.started(shop(WHOLE))
    assert build(DbtCloudJobRunSensor, run_id=run_id).state == "success"
    assert len(of(emitted(), RUN)) == 2
    assert len(invocations(emitted())) == 4


def test_the_retry_operator_emits_events_of_the_run_that_it_started(build, shop, emitted, jobs):
    failed = jobs.started(shop({**WHOLE, "run_results.json": run_results("last")}, outcome=20))
    shop(WHOLE)
    assert build(DbtCloudRetryJobRunOperator, run_id=failed).state == "success"
    assert [event["eventType"] for event in of(emitted(), RUN)] == ["START", "COMPLETE"]
    assert len(invocations(emitted())) == 4


def test_a_failed_run_is_emitted_as_failed_and_a_cancelled_one_as_aborted(build, shop, emitted):
    assert build(job_id=shop(WHOLE, outcome=20)).state == "failed"
    assert build(job_id=shop(WHOLE, outcome=30)).state == "failed"
    assert [event["eventType"] for event in of(emitted(), RUN)] == ["START", "FAIL", "START", "ABORT"]


def test_no_end_event_is_emitted_while_the_run_is_still_running(build, jobs, emitted):
    outcome = build(job_id=jobs.endless, wait_for_termination=False)
    assert outcome.state == "success"
    assert "is still running: no OpenLineage events" in outcome.log
    assert [event["eventType"] for event in of(emitted(), "Sample bakery.Endless")] == ["START"]


def test_an_error_while_emitting_does_not_fail_the_task(build, shop, emitted, dbt_cloud):
    job_id = shop(WHOLE)
    dbt_cloud.control.add_fault("status", route="*/artifacts/*", status=403)
    outcome = build(job_id=job_id)
    assert outcome.state == "success"
    assert (len(of(emitted(), RUN)), invocations(emitted())) == (2, [])


def test_without_the_extra_the_log_says_what_to_install(monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage.extractors", None)
    operator = DbtCloudRunJobOperator(task_id="build", job_id=1)
    operator.run_id = 7
    assert operator.get_openlineage_facets_on_start() is None
    assert operator.get_openlineage_facets_on_complete(object()) is None
    assert "".join(capfd.readouterr()).count("Install the extra 'openlineage' of airflow-dbt-cloud.") == 2


def test_importing_the_operators_loads_nothing_of_openlineage():
    code = (
        "import airflow.sdk, sys, json; before = set(sys.modules);"
        "import airflow_dbt_cloud.operators.dbt, airflow_dbt_cloud.sensors.dbt;"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=60
    )
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "airflow_dbt_cloud.operators.dbt" in loaded
    assert not [name for name in loaded if name.startswith(("openlineage", "airflow.providers.openlineage"))]
    assert "airflow_dbt_cloud.lineage" not in loaded


def test_an_artifact_that_dbt_cloud_has_not_stored_yet_is_requested_again(build, shop, dbt_cloud, emitted):
    job_id = shop(WHOLE)
    dbt_cloud.control.add_fault("status", route="*/manifest.json", status=404, count=1)
    build(job_id=job_id)
    assert [name for name, _ in invocations(emitted())] == ["first", "first", "second", "second"]
    assert dbt_cloud.control.faults()[0]["hits"] == 1
