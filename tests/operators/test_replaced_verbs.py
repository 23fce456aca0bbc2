"""Operators call verbs with the official provider's arguments, and believe what a replaced verb returns."""

import json
from types import SimpleNamespace
from unittest import mock

import pytest
from airflow.sdk import DAG

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook, DbtCloudJobRunException
from airflow_dbt_cloud.operators.dbt import (
    DbtCloudGetJobRunArtifactOperator,
    DbtCloudListJobRunsOperator,
    DbtCloudListJobsOperator,
    DbtCloudRunJobOperator,
)

RUN = {"id": 7, "href": "https://example.com/runs/7/"}
STARTED = SimpleNamespace(json=lambda: {"data": RUN})
CAUSE = "Triggered via Apache Airflow by task 'build' in the nightly DAG."


def context_of(**fields):
    names = {"task_id": "build", "dag_id": "nightly", "run_id": "r", "map_index": -1, "max_tries": 0}
    return {"ti": mock.MagicMock(**{**names, "try_number": 1, **fields})}


def operator_of(**arguments):
    with DAG("nightly", schedule=None):
        return DbtCloudRunJobOperator(task_id="build", **{"job_id": 3, **arguments})


@pytest.fixture
def started(no_network):
    with mock.patch.object(DbtCloudHook, "trigger_job_run", return_value=STARTED) as verb:
        yield verb


@pytest.fixture
def waited():
    with mock.patch.object(DbtCloudHook, "wait_for_job_run_status", return_value=True) as verb:
        yield verb


@pytest.fixture
def no_network(monkeypatch):
    """Fails the test at any request."""
    monkeypatch.setenv(
        "AIRFLOW_CONN_DBT_CLOUD_DEFAULT", '{"conn_type": "dbt_cloud", "password": "x", "login": "1"}'
    )
    monkeypatch.setattr("requests.Session.send", mock.Mock(side_effect=AssertionError("a request was sent")))


@pytest.mark.parametrize(
    ("from_failure", "try_number", "asked"), [(False, 1, False), (True, 1, False), (True, 2, True)]
)
def test_a_start_is_called_with_the_official_arguments(started, from_failure, try_number, asked):
    overrides = {"steps_override": ["dbt run"], "schema_override": "trial"}
    more = {"additional_run_config": {"threads_override": 8}}
    operator = operator_of(retry_from_failure=from_failure, wait_for_termination=False, **overrides, **more)
    assert operator.execute(context_of(try_number=try_number)) == 7
    started.assert_called_once_with(
        account_id=None, job_id=3, cause=CAUSE, retry_from_failure=asked, **overrides, **more
    )


@pytest.mark.parametrize("executing", [context_of(task_id="outer", dag_id="outer"), {"ti": mock.MagicMock()}])
def test_the_default_cause_names_the_operator_itself(started, executing):
    operator_of(wait_for_termination=False).execute(executing)
    assert started.call_args.kwargs["cause"] == CAUSE


def test_the_default_cause_of_an_operator_without_a_dag_names_that_of_its_context(started):
    DbtCloudRunJobOperator(task_id="build", job_id=3, wait_for_termination=False).execute(context_of())
    assert started.call_args.kwargs["cause"] == CAUSE


def test_a_wait_that_returns_false_fails_the_task(started, waited):
    waited.return_value = False
    with pytest.raises(DbtCloudJobRunException, match="Job run 7 has failed or has been cancelled"):
        operator_of().execute(context_of())


def test_a_start_that_returns_a_mock_has_no_run_to_wait_for(started, waited):
    started.return_value = mock.MagicMock()
    assert operator_of().execute(context_of()) is started.return_value.json()["data"]["id"]
    waited.assert_not_called()


def test_reuse_asks_as_the_official_operator_does(started):
    with mock.patch.object(DbtCloudHook, "get_job_runs") as listed:
        listed.return_value.json.return_value = {"data": [{**RUN, "status": 1}]}
        operator = operator_of(reuse_existing_run=True, wait_for_termination=False, account_id=5)
        assert operator.execute(context_of()) == 7
    query = {"job_definition_id": 3, "status__in": "[1, 2, 3]", "order_by": "-created_at"}
    listed.assert_called_once_with(account_id=5, payload=query)
    started.assert_not_called()


class OfficialVerbsOnly:
    """A stand-in of a user's own that has no verb beyond the official ones."""

    def __init__(self, *_, **__):
        pass

    def trigger_job_run(
        self,
        job_id,
        cause,
        account_id=None,
        steps_override=None,
        schema_override=None,
        retry_from_failure=False,
        additional_run_config=None,
    ):
        return STARTED

    def wait_for_job_run_status(self, run_id, account_id, expected_statuses, check_interval, timeout):
        return run_id == 7


def test_a_stand_in_with_official_verbs_only_is_enough(no_network):
    with mock.patch("airflow_dbt_cloud.operators.dbt.DbtCloudHook", OfficialVerbsOnly):
        assert operator_of().execute(context_of()) == 7
        assert operator_of().execute(context_of(try_number=2)) == 7


class Logging(DbtCloudHook):
    """Has the official signature, and calls ours."""

    def trigger_job_run(
        self,
        job_id,
        cause,
        account_id=None,
        steps_override=None,
        schema_override=None,
        retry_from_failure=False,
        additional_run_config=None,
    ):
        overrides = (steps_override, schema_override, retry_from_failure, additional_run_config)
        return super().trigger_job_run(job_id, f"{cause} Logged.", account_id, *overrides)


def test_a_subclass_with_the_official_signature_starts_once_over_all_tries(jobs):
    ids = set()
    for try_number in (1, 2):
        operator = operator_of(job_id=jobs.instant, wait_for_termination=False)
        operator.hook = Logging()
        ids.add(operator.execute(context_of(try_number=try_number)))
    (run,) = jobs.runs()
    assert ids == {run["id"]}
    assert run["trigger"]["cause"].startswith(f"{CAUSE} Logged.")


def pages_of(*pages):
    return [SimpleNamespace(json=lambda rows=rows: {"data": rows}) for rows in pages]


ROWS = [{"id": 1, "status": 20}, {"id": 2, "status": "10"}, {"id": 3}, {"id": 4, "status": 10}]


@pytest.mark.parametrize(
    ("arguments", "order", "found"),
    [
        ({}, None, [1, 2, 3, 4]),
        ({"order_by": "-id", "limit": 2}, "-id", [1, 2]),
        ({"status_filter": 10}, None, [2, 4]),
        ({"status_filter": [10, 20], "limit": 2}, None, [1, 2]),
        ({"latest_only": True}, "-created_at", 1),
        ({"latest_only": True, "order_by": "id", "status_filter": 10}, "id", 2),
        ({"latest_only": True, "status_filter": 30}, "-created_at", None),
    ],
)
def test_a_replaced_list_of_runs_is_filtered_here(no_network, arguments, order, found):
    with mock.patch.object(
        DbtCloudHook, "list_job_runs", return_value=pages_of(ROWS[:2], ROWS[2:])
    ) as listed:
        returned = DbtCloudListJobRunsOperator(task_id="list", job_id=3, **arguments).execute({})
    listed.assert_called_once_with(account_id=None, include_related=None, job_definition_id=3, order_by=order)
    ids = [run["id"] for run in returned] if isinstance(returned, list) else returned and returned["id"]
    assert ids == found


@pytest.mark.parametrize("more", [{}, {"environment_id": 4, "name_contains": "Night"}])
def test_a_replaced_list_of_jobs_gets_only_what_is_given(no_network, more):
    with mock.patch.object(DbtCloudHook, "list_jobs", return_value=pages_of(ROWS)) as listed:
        operator = DbtCloudListJobsOperator(task_id="list", project_id=3, limit=3, **more)
        assert operator.execute({}) == [1, 2, 3]
    listed.assert_called_once_with(account_id=None, order_by=None, project_id=3, **more)


def test_a_subclass_that_shortens_a_list_of_runs_is_believed(jobs):
    jobs.control.seed(runs=[{"job_id": jobs.instant, "count": 3}])

    class Shortening(DbtCloudHook):
        def list_job_runs(self, account_id=None, include_related=None, job_definition_id=None, order_by=None):
            return super().list_job_runs(account_id, include_related, job_definition_id, order_by)[:0]

    with mock.patch("airflow_dbt_cloud.hooks.dbt.DbtCloudHook", Shortening):
        assert DbtCloudListJobRunsOperator(task_id="list").execute({}) == []


@pytest.mark.parametrize(
    ("path", "answer", "body"),
    [
        ("run_results.json", mock.MagicMock(**{"json.return_value": {"results": []}}), '{"results": []}'),
        ("compiled/a.sql", mock.MagicMock(text="select 1"), "select 1"),
        ("compiled/a.sql", SimpleNamespace(text="select 'ü'"), "select 'ü'"),
        ("manifest.json", SimpleNamespace(content=b'{ "nodes": {} }'), '{ "nodes": {} }'),
    ],
)
def test_a_replaced_artifact_is_read_as_the_official_operator_reads_it(
    no_network, tmp_path, monkeypatch, path, answer, body
):
    monkeypatch.chdir(tmp_path)
    with mock.patch.object(DbtCloudHook, "get_job_run_artifact", return_value=answer) as fetched:
        operator = DbtCloudGetJobRunArtifactOperator(task_id="fetch", run_id=5, path=path, step=2)
        name = operator.execute({})
    fetched.assert_called_once_with(run_id=5, path=path, account_id=None, step=2)
    assert (tmp_path / name).read_text(encoding="utf-8") == body


def test_a_stand_in_for_the_hook_gives_its_artifact(tmp_path):
    with mock.patch("airflow_dbt_cloud.operators.dbt.DbtCloudHook") as hook:
        hook.return_value.get_job_run_artifact.return_value.json.return_value = {"results": []}
        target = str(tmp_path / "results.json")
        DbtCloudGetJobRunArtifactOperator(
            task_id="fetch", run_id=5, path="run_results.json", output_file_name=target
        ).execute({})
    assert json.loads((tmp_path / "results.json").read_text()) == {"results": []}


@pytest.mark.parametrize("omitted", [{}, {"project_name": None, "environment_name": None}])
def test_a_job_is_found_by_its_name_alone(started, omitted):
    with mock.patch.object(DbtCloudHook, "get_job_by_name", return_value={"id": 9}) as found:
        operator = DbtCloudRunJobOperator(task_id="build", job_name="Nightly", **omitted)
        operator.wait_for_termination = False
        operator.execute(context_of())
    found.assert_called_once_with(
        account_id=None, project_name=None, environment_name=None, job_name="Nightly"
    )
    assert started.call_args.kwargs["job_id"] == 9


@pytest.mark.parametrize(
    "names",
    [
        {"job_name": "Nightly", "project_name": "shop"},
        {"job_name": "Nightly", "environment_name": "live"},
        {"job_name": "Nightly", "project_name": "", "environment_name": ""},
        {"job_name": "Nightly", "project_name": "None", "environment_name": "None"},
        {"job_name": ""},
        {},
    ],
)
def test_partial_or_empty_names_are_refused_in_the_official_words(started, names):
    words = "Either job_id or project_name, environment_name, and job_name must be provided"
    with pytest.raises(ValueError, match=words):
        DbtCloudRunJobOperator(task_id="build", **names).execute(context_of())
    started.assert_not_called()


STATUSES = {
    "get_job_run_status": lambda status: status,
    "get_job_run": lambda status: SimpleNamespace(json=lambda: {"data": {"status": status}}),
}


@pytest.mark.parametrize("verb", STATUSES)
@pytest.mark.parametrize(
    ("statuses", "words"), [([1, 3, 10], None), ([3, 20], "has failed"), ([30], "cancelled")]
)
def test_replaced_statuses_are_waited_for_without_a_request(started, monkeypatch, verb, statuses, words):
    """Also not for the steps of a running run, nor for the report of one that has ended."""
    slept, answers = [], [STATUSES[verb](status) for status in (*statuses, statuses[-1])]
    monkeypatch.setattr("time.sleep", slept.append)
    log = mock.patch.object(DbtCloudHook, "log_job_run_failure_details")
    with mock.patch.object(DbtCloudHook, verb, side_effect=answers), log as logged:
        if words is None:
            assert operator_of(check_interval=5).execute(context_of()) == 7
        else:
            with pytest.raises(DbtCloudJobRunException, match=words):
                operator_of(check_interval=5).execute(context_of())
            logged.assert_called_once_with(run_id=7, account_id=None)
    assert slept == [5] * (len(statuses) - 1)


def test_the_details_of_a_replaced_run_are_logged_without_a_request(no_network, capfd):
    step = {"index": 2, "name": "Invoke dbt with `dbt build`", "status": 20, "logs": "It rains"}
    run = {"status": 20, "status_message": "Run failed", "run_steps": [step]}
    answer = SimpleNamespace(json=lambda: {"data": run})
    with mock.patch.object(DbtCloudHook, "get_job_run", return_value=answer) as read:
        DbtCloudHook().log_job_run_failure_details(7)
    read.assert_called_once_with(run_id=7, account_id=None, include_related=["run_steps"])
    assert "It rains" in "".join(capfd.readouterr())


@pytest.mark.parametrize("status", ["success", "timeout"])
def test_an_event_of_a_test_is_believed_without_a_request(no_network, status):
    event = {"status": status, "message": "It is over.", "run_id": 7}
    with mock.patch.object(DbtCloudHook, "cancel_job_run") as cancelled:
        if status == "success":
            assert operator_of().execute_complete(context_of(), event) == 7
        else:
            with pytest.raises(DbtCloudJobRunException, match="has timed out"):
                operator_of().execute_complete(context_of(), event)
            cancelled.assert_called_once_with(run_id=7, account_id=None)


def test_a_report_costs_no_seconds_where_nothing_listens(monkeypatch, closed_port):
    monkeypatch.setattr("time.sleep", mock.Mock(side_effect=AssertionError("slept")))
    connection = {
        "conn_type": "dbt_cloud",
        "password": "x",
        "login": "1",
        "host": f"http://127.0.0.1:{closed_port}",
    }
    monkeypatch.setenv("AIRFLOW_CONN_DBT_CLOUD_DEFAULT", json.dumps(connection))
    with pytest.raises(DbtCloudJobRunException, match="It broke"):
        operator_of().execute_complete(context_of(), {"status": "error", "message": "It broke.", "run_id": 7})


def test_a_replaced_trigger_gets_the_official_arguments(started):
    with (
        mock.patch.object(DbtCloudHook, "get_job_run_status", return_value=1),
        mock.patch("airflow_dbt_cloud.operators.dbt.DbtCloudRunJobTrigger") as trigger,
        mock.patch.object(DbtCloudRunJobOperator, "defer") as deferred,
    ):
        operator_of(deferrable=True, timeout=3, check_interval=1).execute(context_of())
    trigger.assert_called_once_with(
        conn_id="dbt_cloud_default",
        run_id=7,
        end_time=mock.ANY,
        execution_deadline=None,
        account_id=None,
        poll_interval=1,
        hook_params={},
    )
    deferred.assert_called_once_with(
        trigger=trigger.return_value, method_name="execute_complete", timeout=None
    )


def test_a_replaced_openlineage_parent_is_the_cause(started):
    place = "airflow_dbt_cloud.operators.dbt.inject_parent_job_information_into_dbt_cloud_cause"
    context = context_of()
    with mock.patch(place, return_value="a parent") as inject:
        operator_of(openlineage_inject_parent_job_info=True, wait_for_termination=False).execute(context)
    inject.assert_called_once_with(CAUSE, context["ti"])
    assert started.call_args.kwargs["cause"] == "a parent"
