"""The sensor in a real Airflow, in each of its modes, against the local dbt Cloud."""

import pytest
from airflow import __version__ as airflow_version
from airflow.sdk import DAG

from airflow_dbt_cloud.sensors import dbt as sensors
from airflow_dbt_cloud.sensors.dbt import DbtCloudJobRunSensor
from dbtcloud.client.errors import Forbidden, NotFound, Unauthorized
from dbtcloud.client.failure_tolerance import GRACE

MODES = pytest.mark.parametrize(
    "mode",
    [{"mode": "poke"}, {"mode": "reschedule"}, {"deferrable": True}],
    ids=["poke", "reschedule", "deferred"],
)


@pytest.fixture
def sense(run_dag, jobs, prompt_triggers):
    """Runs the sensor by the name of `sense` for a run of a job, or for a run itself."""

    def run(job_id=None, run_id=None, **arguments):
        given = {"poke_interval": 0.1, "retries": 0, **arguments}
        with DAG("watching", schedule=None) as dag:
            DbtCloudJobRunSensor(task_id="sense", run_id=run_id or jobs.started(job_id), **given)
        return run_dag(dag)

    return run


@MODES
@pytest.mark.parametrize("already", [False, True], ids=["running", "ended"])
def test_a_successful_run_makes_the_task_succeed_with_the_runs_id(sense, jobs, mode, already):
    outcome = sense(jobs.instant if already else jobs.quick, **mode)
    (run,) = jobs.runs()
    assert outcome.state == "success"
    assert outcome.xcoms("sense")["return_value"] == run["id"]


@MODES
@pytest.mark.parametrize(("job", "word"), [("failing", "failed"), ("cancelled", "been cancelled")])
def test_a_failed_or_cancelled_run_fails_the_task_and_is_called_so(sense, jobs, mode, job, word):
    outcome = sense(getattr(jobs, job), **mode)
    (run,) = jobs.runs()
    assert outcome.states == {"sense": "failed"}
    assert f"DbtCloudJobRunException: Job run {run['id']} has {word}." in outcome.log


@MODES
@pytest.mark.parametrize("seconds", [0, 1], ids=["ended", "running"])
def test_soft_fail_skips_the_task_in_every_mode(sense, jobs, mode, seconds):
    script = {"running": seconds, "outcome": 20}
    jobs.control.seed(jobs=[{"id": 70, "name": "Fails", "pretend": script}])
    outcome = sense(70, soft_fail=True, **mode)
    assert outcome.states == {"sense": "skipped"}
    assert "has failed" in outcome.log


@pytest.fixture
def a_dated_reschedule(request):
    """Skips where Airflow's own sensor computes with the text of a date, in `dag.test()`."""
    if "reschedule" in request.node.name and airflow_version.startswith("3.1."):
        pytest.skip("dag.test() of Airflow 3.1 hands a rescheduled sensor the date of its begin as text")


@MODES
@pytest.mark.usefixtures("a_dated_reschedule")
def test_a_timeout_is_airflows_own_and_does_not_say_that_the_run_failed(sense, jobs, mode):
    outcome = sense(jobs.endless, timeout=0.3, **mode)
    assert outcome.states == {"sense": "failed"}
    (message,) = {
        line for line in outcome.log.splitlines() if "DbtCloudSensorTimeout: " in line and "still" in line
    }
    assert f"is still running. See {jobs.runs()[0]['href']}." in message
    assert "has failed" not in outcome.log
    assert jobs.runs()[0]["status"] == 3


@MODES
@pytest.mark.usefixtures("a_dated_reschedule")
def test_a_timeout_says_that_the_run_is_still_queued(sense, jobs, mode):
    jobs.control.seed(jobs=[{"id": 70, "name": "Stuck", "pretend": {"queued": 3000, "running": 1}}])
    outcome = sense(70, timeout=0.3, **mode)
    assert f"is still queued. See {jobs.runs()[0]['href']}." in outcome.log
    assert "still running" not in outcome.log


@MODES
@pytest.mark.usefixtures("a_dated_reschedule")
def test_a_timeout_with_soft_fail_skips_the_task(sense, jobs, mode):
    assert sense(jobs.endless, timeout=0.3, soft_fail=True, **mode).states == {"sense": "skipped"}


@MODES
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "html"},
        {"kind": "reset"},
        {"kind": "status", "status": 404},
    ],
)
def test_temporary_faults_are_tolerated(sense, jobs, mode, fault):
    run_id = jobs.started(jobs.instant)
    polls = {"count": 5} if fault.get("status") != 404 else {"count": 1}
    jobs.control.add_fault(**fault, route="*/runs/*", method="GET", **polls)
    outcome = sense(run_id=run_id, hook_params={"retry_delay": 0.01}, **mode)
    assert outcome.states == {"sense": "success"}
    assert [fault["hits"] for fault in jobs.control.faults()] == [polls["count"]]


@pytest.fixture
def briefly(monkeypatch):
    """Shortens the time for which an error is tolerated."""
    monkeypatch.setattr(sensors, "_REPEAT_DELAY", 0.05)
    for kind in (Unauthorized, Forbidden, NotFound):
        monkeypatch.setitem(GRACE, kind, 1.0)


@MODES
@pytest.mark.usefixtures("a_dated_reschedule", "briefly")
@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_temporary_refusal_does_not_fail_the_task_at_any_poll(sense, jobs, mode, status):
    jobs.control.seed(jobs=[{"id": 70, "name": "Takes a while", "pretend": {"running": 1.5}}])
    run_id = jobs.started(70)
    jobs.control.add_fault("status", status=status, route="*/runs/*", method="GET", rate=0.5)
    assert sense(run_id=run_id, **mode).states == {"sense": "success"}


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("soft", [False, True])
def test_a_refused_token_is_not_called_a_failed_run(sense, jobs, soft):
    jobs.control.add_fault("status", status=401, route="*/runs/*", method="GET")
    outcome = sense(run_id=7, mode="reschedule", soft_fail=soft)
    assert outcome.states == {"sense": "skipped" if soft else "failed"}
    assert "dbt Cloud answered 401" in outcome.log
    assert "has failed" not in outcome.log


def test_a_run_id_that_is_no_number_fails_the_task_with_a_clear_message(sense, jobs):
    outcome = sense(run_id="latest")
    assert outcome.states == {"sense": "failed"}
    assert "'latest' is not a valid run id" in outcome.log


def of(**arguments):
    default_args = arguments.pop("default_args", {})
    with DAG("defaults", schedule=None, default_args=default_args):
        return DbtCloudJobRunSensor(task_id="sense", run_id=1, **arguments)


@pytest.mark.parametrize(("deferrable", "seconds"), [(False, 60), (True, 5)])
def test_the_poke_interval_depends_on_the_mode_unless_it_is_given(deferrable, seconds):
    assert of(deferrable=deferrable).poke_interval == seconds
    assert of(deferrable=deferrable, poke_interval=7).poke_interval == 7
    assert of(deferrable=deferrable, default_args={"poke_interval": 8}).poke_interval == 8


def test_deferrable_from_default_args_brings_its_poke_interval():
    sensor = of(default_args={"deferrable": True})
    assert (sensor.deferrable, sensor.poke_interval) == (True, 5)


def test_the_timeout_is_a_week_unless_it_is_given():
    assert of().timeout == 60 * 60 * 24 * 7
    assert of(timeout=9).timeout == 9
    assert of(default_args={"timeout": 10}).timeout == 10


def test_a_mapped_sensor_waits_for_each_run(run_dag, jobs):
    runs = [jobs.started(jobs.instant), jobs.started(jobs.instant)]
    with DAG("mapped_sensor", schedule=None) as dag:
        DbtCloudJobRunSensor.partial(task_id="sense").expand(run_id=runs)
    assert run_dag(dag).xcoms("sense")["return_value"] == runs


EVENTS = [
    ({"status": "success", "message": "Fine.", "run_id": 5}, "success", "Fine."),
    ({"status": "error", "message": "Job run 5 failed.", "run_id": 5}, "failed", "DbtCloudJobRunException"),
    (
        {"status": "cancelled", "message": "Stopped.", "run_id": 5},
        "failed",
        "DbtCloudJobRunException: Stopped.",
    ),
    (
        {"status": "timeout", "message": "Too late.", "run_id": 5},
        "failed",
        "DbtCloudSensorTimeout: Too late.",
    ),
    ({"status": "error", "run_id": 5, "reachable": False}, "failed", "DbtCloudApiException"),
    (None, "failed", "DbtCloudTriggerEventException"),
    ({"status": "puzzled", "run_id": 5}, "failed", "DbtCloudTriggerEventException"),
]


@pytest.mark.parametrize(("event", "state", "words"), EVENTS)
def test_events_of_any_release_are_understood(run_dag, jobs, event, state, words):
    class Resumed(DbtCloudJobRunSensor):
        def execute(self, context):
            return self.execute_complete(context, event)

    with DAG("resumed", schedule=None) as dag:
        Resumed(task_id="sense", run_id=5)
    outcome = run_dag(dag)
    assert outcome.states == {"sense": state}
    assert words in outcome.log
