"""The result of a run: a mapping, a table, a report and artifacts."""

import copy
import json
import pickle

import pytest

from dbtcloud import get_dbt_cloud_run_status
from dbtcloud.client.retry import RetryPolicy
from dbtcloud.client.run_status import RunStatus
from dbtcloud.errors import (
    DbtCloudError,
    InvalidArgument,
    MalformedResponse,
    RunCancelled,
    RunFailed,
    RunUnfinished,
)
from dbtcloud.resources.client import DbtCloudClient
from dbtcloud.resources.run_result import DbtCloudOutput, DbtCloudRunStatus
from wires.raw import answer, envelope

AT_ONCE = RetryPolicy(delay=0)
RESULTS = {
    "results": [
        {"unique_id": "model.shop.customers", "status": "success", "execution_time": 0.5},
        {"unique_id": "model.shop.orders", "status": "error", "message": "division by <zero>"},
    ]
}
STEP = {"name": "Invoke dbt with `dbt build`", "command": "dbt build", "outcome": 20}
FAILED = {
    "outcome": 20,
    "steps": [STEP],
    "artifacts": {
        "run_results.json": RESULTS,
        "compiled/shop/models/orders.sql": "select 1/0",
        "partial_parse.msgpack": "",
        "broken.json": "{",
    },
}
SUCCEEDED = {
    "steps": [{**STEP, "outcome": 10}],
    "artifacts": {"run_results.json": {"results": RESULTS["results"][:1]}},
}


@pytest.fixture
def cloud(dbt_cloud):
    runs = {7: FAILED, 8: SUCCEEDED, 9: {"outcome": 30, "message": "Cancelled by user."}}
    seeded = [{"job_id": 1, "id": number, "age": 120, "pretend": script} for number, script in runs.items()]
    dbt_cloud.control.seed(runs=[*seeded, {"job_id": 1, "id": 10, "pretend": {"queued": 1000}}])
    return dbt_cloud


@pytest.fixture
def client(cloud):
    with DbtCloudClient(cloud.token, 1, cloud.url, retry=AT_ONCE) as client:
        yield client


@pytest.fixture
def result(client):
    """Returns the result of a run as it is now."""
    return lambda run_id: get_dbt_cloud_run_status(run_id, wait_for_outcome=False, credentials=client)


def test_a_result_is_a_mapping_of_the_run(result):
    found = result(8)
    assert found["status_humanized"] == "Success"
    assert dict(found) == found.run_details == {**found}
    assert json.loads(json.dumps(found.run_details))["id"] == 8
    assert (len(found), "in_progress" in found, found.get("nothing")) == (len(found.run_details), True, None)


def test_a_result_has_the_facts_of_the_run(cloud, result):
    found = result(8)
    assert (found.run_id, found.job_id, found.status, found.is_successful) == (8, 1, 10, True)
    assert found.run_status is RunStatus.SUCCESS is DbtCloudRunStatus.SUCCESS
    assert found.url == f"{cloud.url}/deploy/1/projects/1/runs/8/"
    assert isinstance(found, DbtCloudOutput)
    assert (result(7).is_successful, result(10).is_successful) == (False, False)


def test_a_status_of_the_future_does_no_harm(raw_server):
    raw_server.reply = answer(envelope({"id": 7, "status": 42}))
    with DbtCloudClient("t", 1, raw_server.url) as client:
        found = get_dbt_cloud_run_status(7, wait_for_outcome=False, credentials=client)
    assert (found.status, found.run_status, found.is_successful) == (42, None, False)
    assert str(found) == "dbt Cloud run 7 has not ended yet: status 42."


def test_artifacts_are_parsed_by_their_kind(result):
    found = result(7)
    assert found.get_artifact("run_results.json") == RESULTS
    assert found.get_artifact("compiled/shop/models/orders.sql") == "select 1/0"
    assert found.get_artifact("manifest.json") is None
    with pytest.raises(MalformedResponse):
        found.get_artifact("broken.json")
    for name in ("../manifest.json", "", None):
        with pytest.raises(InvalidArgument):
            found.get_artifact(name)


def test_a_file_that_is_no_text_comes_as_bytes(raw_server):
    raw_server.replies(
        answer(envelope({"id": 7, "status": 10})), answer(b"\x82\xff", headers={"Content-Type": "x/y"})
    )
    with DbtCloudClient("t", 1, raw_server.url) as client:
        found = get_dbt_cloud_run_status(7, credentials=client)
        assert found.get_artifact("partial_parse.msgpack", step=4) == b"\x82\xff"
    assert raw_server.received[-1].target.endswith("/artifacts/partial_parse.msgpack?step=4")


def test_no_time_is_lost_on_an_artifact_that_a_run_of_this_minute_does_not_have(cloud, client, result):
    cloud.control.seed(runs=[{"job_id": 1, "id": 11, "pretend": FAILED}])
    events = []
    with client.with_options(on_request=events.append) as watched:
        found = get_dbt_cloud_run_status(11, credentials=watched)
        events.clear()
        assert found.get_artifact("manifest.json") is None
    assert [event.path.rpartition("runs/11/")[2] for event in events] == [
        "artifacts/manifest.json",
        "",
        "artifacts/",
    ]


def test_the_report_is_read_once_and_only_when_it_is_wanted(cloud, client):
    events = []
    with client.with_options(on_request=events.append) as watched:
        found = get_dbt_cloud_run_status(7, credentials=watched)
        assert len(events) == 1
        assert [node.name for node in found.report.failed] == ["orders"]
        read = len(events)
        assert found.report is found.report
        assert found.report.to_rows()[1]["message"] == "division by <zero>"
        assert len(events) == read


def test_the_report_of_a_run_that_is_still_running_is_read_again(cloud, result):
    cloud.control.seed(runs=[{"job_id": 1, "id": 11, "pretend": {"running": 60}}])
    found = result(11)
    assert found.report.run.status == 3
    cloud.control.advance(100)
    assert found.report.run.status == 10


def test_a_failure_says_which_model_failed_and_why(result):
    with pytest.raises(RunFailed, match="Failed: model orders: division by <zero>") as caught:
        result(7).raise_for_status()
    assert (caught.value.run_id, caught.value.status) == (7, 20)
    with pytest.raises(RunCancelled, match=r"Cancelled by user\."):
        result(9).raise_for_status()
    result(8).raise_for_status()


def test_a_failure_is_raised_also_if_its_report_cannot_be_read(cloud, result):
    found = result(7)
    cloud.control.add_fault("status", route="*/runs/7/", status=403)
    with pytest.raises(RunFailed, match="Its report cannot be read: dbt Cloud answered 403"):
        found.raise_for_status()


def test_a_run_that_has_not_ended_has_no_outcome(result):
    found = result(10)
    with pytest.raises(RunUnfinished, match="Its status was Queued"):
        found.raise_for_status()
    assert str(found) == f"dbt Cloud run 10 has not ended yet: Queued.\nSee {found.url}"
    link = f'<a href="{found.url}">dbt Cloud run 10 has not ended yet: Queued.</a>'
    assert found._repr_html_() == f"<p>{link}</p>"


def test_no_request_is_sent_to_show_a_run_that_has_not_ended(client):
    events = []
    with client.with_options(on_request=events.append) as watched:
        found = get_dbt_cloud_run_status(10, wait_for_outcome=False, credentials=watched)
        events.clear()
        assert "Queued" in str(found)
    assert events == []


def test_a_terminal_shows_a_table_with_the_failures_first(result):
    shown = str(result(7)).splitlines()
    assert shown[0] == "dbt Cloud run 7 ended with status Error."
    rows = [line.split() for line in shown if line.startswith("  ")]
    assert [row[:3] for row in rows] == [["error", "model", "orders"], ["success", "model", "customers"]]
    assert repr(result(7)) == "<DbtCloudRunResult of run 7: Error>"


def test_a_notebook_shows_a_table_whose_texts_are_escaped(result):
    shown = result(7)._repr_html_()
    assert shown.count("<tr>") == 3
    assert "division by &lt;zero&gt;" in shown


def test_a_table_without_nodes_says_why(cloud, result):
    found = result(7)
    cloud.control.add_fault("status", route="*/runs/7/", status=403)
    assert "The report cannot be read: dbt Cloud answered 403" in str(found)
    assert "The report cannot be read: dbt Cloud answered 403" in found._repr_html_()


@pytest.mark.parametrize("again", [lambda each: pickle.loads(pickle.dumps(each)), copy.deepcopy])
def test_a_pickled_result_keeps_what_was_read_and_no_token(cloud, result, again):
    found = result(7)
    report = found.report
    assert cloud.token.encode() not in pickle.dumps(found)
    kept = again(found)
    assert (kept.run_details, kept.report) == (found.run_details, report)
    assert str(kept) == str(found)
    with pytest.raises(DbtCloudError, match=r"get_dbt_cloud_run_status\(run_id=7\)"):
        kept.get_artifact("manifest.json")
    with pytest.raises(RunFailed, match="model orders"):
        kept.raise_for_status()


def test_a_pickled_result_says_what_it_cannot_read(result):
    kept = pickle.loads(pickle.dumps(result(7)))
    with pytest.raises(RunFailed, match="Its report cannot be read: Nothing more can be read of run 7"):
        kept.raise_for_status()
    assert "the token is not stored with it" in str(kept)
