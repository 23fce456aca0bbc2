"""Runs that start by a job's cron line, or when a run of another job completes, as the clock is moved."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dbtcloud.local.model.records import DELETED, JobRecord
from dbtcloud.local.orchestration.schedule import CronExpression, next_scheduled_time
from dbtcloud.local.orchestration.scheduler import MAX_RUNS_AT_ONCE
from dbtcloud.local.server.in_thread import LocalDbtCloud

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def by_cron(cron):
    return {
        "schedule": {"cron": cron, "date": {"type": "custom_cron", "cron": cron}},
        "triggers": {"schedule": True},
    }


def after(job_id, *statuses):
    condition = {"job_id": job_id, "project_id": 1, "statuses": list(statuses)}
    return {"job_completion_trigger_condition": {"condition": condition}}


@pytest.fixture(scope="module")
def scheduling():
    with LocalDbtCloud(schedules=True) as server:
        yield server


@pytest.fixture
def api(scheduling, client_of):
    scheduling.control.reset()
    client = client_of(scheduling)
    # So that no hour begins while a test runs.
    client.control.advance(HOUR - client.control.now() % HOUR + 1)
    return client


def runs(api, job_id):
    return api.get("runs/", job_definition_id=job_id, order_by="id", include_related="trigger")


def test_a_cron_expression_starts_runs_with_their_due_times(api):
    job = api.job({"running": 5}, **by_cron("0 * * * *"))
    assert runs(api, job) == []
    api.control.advance(3 * HOUR + MINUTE)
    found = runs(api, job)
    assert [run["created_at"][14:19] for run in found] == ["00:00"] * 3
    assert [run["is_success"] for run in found] == [True] * 3
    assert {(run["trigger"]["cause"], run["trigger"]["cause_category"]) for run in found} == {
        ("scheduled", "scheduled")
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"triggers": {"schedule": False}},
        {"triggers": {}},
        {"state": DELETED},
        {"schedule": {"cron": "no cron line"}},
        {"schedule": {"cron": "0 0 31 2 *"}},
        {"schedule": {"cron": "* * * * * *"}},
    ],
)
def test_a_job_with_an_inactive_or_invalid_schedule_does_not_start(api, fields):
    job = api.job({}, **{**by_cron("* * * * *"), **fields})
    api.control.advance(HOUR)
    assert api.ask(f"runs/?job_definition_id={job}").json()["data"] == []


@pytest.mark.parametrize(
    ("schedule", "count"),
    [
        ({}, 24),
        ({"date": {"type": "every_day"}, "time": {"type": "at_exact_hours", "hours": [6, 18]}}, 2),
        ({"date": {"type": "every_day"}, "time": {"type": "every_hour", "interval": 6}}, 4),
        ({"date": {"type": "interval_cron", "cron": "15 */12 * * *"}, "time": {"type": "every_hour"}}, 2),
        (
            {
                "date": {"type": "interval_cron", "days": [*range(7)]},
                "time": {"type": "every_hour", "interval": 12},
            },
            2,
        ),
    ],
)
def test_schedules_work_in_each_form_that_the_api_accepts(api, schedule, count):
    job = api.job({}, schedule=schedule, triggers={"schedule": True})
    api.control.advance(DAY)
    assert len(runs(api, job)) == count


def test_a_run_starts_when_it_is_due_without_a_moved_clock(api, eventually):
    api.control.advance(MINUTE - api.control.now() % MINUTE - 0.3)
    job = api.job({}, **by_cron("* * * * *"))
    eventually(lambda: len(runs(api, job)) == 1)


def test_a_completed_run_starts_another_job(api):
    first = api.job({"running": 30, "outcome": 10})
    second = api.job({"running": 30}, **after(first, 10))
    started = api.start(first)["id"]
    api.control.advance(29)
    assert runs(api, second) == []
    api.control.advance(2)
    (run,) = runs(api, second)
    assert run["created_at"] == api.get(f"runs/{started}/")["finished_at"]
    assert run["trigger"]["cause"] == f"Run {started} of job {first} has completed"
    assert run["trigger"]["cause_category"] == "job completion"
    api.control.advance(DAY)
    assert len(runs(api, second)) == 1


@pytest.mark.parametrize(("outcome", "statuses", "count"), [(20, [10], 0), (20, [10, 20], 1), (30, [30], 1)])
def test_only_the_statuses_of_the_condition_start_a_run(api, outcome, statuses, count):
    first = api.job({"running": 5, "outcome": outcome})
    second = api.job({}, **after(first, *statuses))
    api.start(first)
    api.control.advance(10)
    assert len(runs(api, second)) == count


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"condition": None},
        {"condition": 7},
        {"condition": {"job_id": 1}},
        {"condition": {"job_id": "1", "statuses": "10"}},
        {"condition": {"job_id": True, "statuses": [None]}},
    ],
)
def test_an_invalid_condition_starts_nothing(api, condition):
    job = api.job({}, job_completion_trigger_condition=condition)
    api.start(api.job({}))
    api.control.advance(MINUTE)
    assert runs(api, job) == []


def test_a_chain_of_jobs_runs_when_the_clock_moves_past_all_of_them(api):
    first = api.job({"running": 60}, **by_cron("0 * * * *"))
    second = api.job({}, **after(first, 10))
    third = api.job({"running": 10}, **after(second, 10))
    api.control.advance(2 * HOUR + 5 * MINUTE)
    created = {job: [run["created_at"] for run in runs(api, job)] for job in (first, second, third)}
    assert [len(each) for each in created.values()] == [2, 2, 2]
    assert [instant[14:19] for instant in created[third]] == ["01:00"] * 2


def test_a_clock_that_moves_far_starts_a_limited_number_of_runs(api, caplog):
    job = api.job({}, **by_cron("* * * * *"))
    api.control.advance(30 * DAY)
    assert len(api.get("runs/", job_definition_id=job)) == 100
    total = api.ask(f"runs/?job_definition_id={job}").json()["extra"]["pagination"]["total_count"]
    assert total == MAX_RUNS_AT_ONCE
    assert "runs were due at once. The others are skipped" in caplog.text


def test_a_job_that_starts_itself_does_not_stop_the_server(api):
    job = api.job({})
    api.control.seed(jobs=[{"id": job, "name": "Again", "pretend": {}, **after(job, 10)}])
    api.start(job)
    api.control.advance(1)
    assert api.ask("/_local/health").status_code == 200


def test_jobs_show_the_time_of_their_next_run(api):
    job = api.job({}, **by_cron("30 6 * * *"))
    told = api.get(f"jobs/{job}/")
    now = datetime.fromtimestamp(api.control.now(), UTC)
    due = datetime.fromisoformat(told["next_run"])
    assert (due.hour, due.minute) == (6, 30)
    assert 0 < (due - now).total_seconds() <= DAY
    assert told["next_run_humanized"].endswith(" from now")
    assert told["describe_cron"] == "At 06:30 AM"
    assert api.get("jobs/1/")["next_run"] is None


def test_a_server_without_schedules_starts_nothing(served, client_of):
    served.control.reset()
    client = client_of(served)
    job = client.job({}, **by_cron("* * * * *"))
    client.control.advance(HOUR)
    assert runs(client, job) == []
    assert client.get(f"jobs/{job}/")["next_run"] is None


def test_schedules_work_after_a_reset_of_the_clock(api):
    api.control.advance(DAY)
    api.control.reset()
    job = api.job({}, **by_cron("0 * * * *"))
    api.control.advance(HOUR)
    assert len(runs(api, job)) == 1


CRON_FIELD = st.text(alphabet="0123456789*/-,?LW#aJAN ", min_size=1, max_size=6)


@given(cron=st.lists(CRON_FIELD, min_size=5, max_size=5).map(" ".join) | st.text(max_size=20))
@settings(derandomize=True, deadline=None, max_examples=300)
@example(cron="0 0 29 2 *")
@example(cron="0 0 31 2 *")
@example(cron="whenever")
def test_no_cron_expression_raises_an_error(cron):
    assert isinstance(CronExpression(cron).describe(), str)
    fired = next_scheduled_time(JobRecord(1, "a", schedule={"cron": cron}, triggers={"schedule": True}), 0)
    assert fired is None or fired > 0
