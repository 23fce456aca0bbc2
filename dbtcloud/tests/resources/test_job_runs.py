"""Runs of a job are started once, and once for each key."""

import threading

import pytest

from dbtcloud.client.marker import Marker
from dbtcloud.errors import AmbiguousStart, Forbidden, InvalidArgument, NotFound
from dbtcloud.resources.client import DbtCloudClient
from rehearsal import JOBS
from wires.raw import answer, envelope

POST = {"method": "POST", "route": "*/run/"}
LISTS = {"method": "GET", "route": "*/runs/"}
CAUSE = "A test"


def posts(jobs):
    return len(jobs.asked("POST", "/run/"))


def start(face, cloud, job_id, **how):
    return face.ask(cloud, lambda client: client.jobs.run(job_id, **{"cause": CAUSE, **how}))


def test_a_run_has_the_cause_with_a_marker_and_the_overrides(face, dbt_cloud, jobs):
    run = start(face, dbt_cloud, jobs.instant, threads_override=8, steps_override=("dbt run",), git_sha=None)
    (trigger,) = jobs.triggers()
    assert trigger["cause"] == run.cause
    assert run.cause.startswith("A test [af:")
    assert (trigger["threads_override"], trigger["steps_override"]) == (8, ["dbt run"])
    assert "git_sha" not in trigger
    assert posts(jobs) == 1
    assert jobs.asked("GET", "") == []


def test_a_long_cause_is_cut_and_keeps_its_marker(face, dbt_cloud, jobs):
    run = start(face, dbt_cloud, jobs.instant, cause="ä" * 300)
    assert len(run.cause) == 255
    assert Marker.find(run.cause)


def test_without_a_key_each_call_starts_a_run(face, dbt_cloud, jobs):
    first, second = (start(face, dbt_cloud, jobs.instant) for _ in range(2))
    assert first.id != second.id
    assert Marker.find(first.cause) != Marker.find(second.cause)


def test_a_run_whose_answer_is_lost_is_found(face, dbt_cloud, jobs):
    jobs.control.add_fault("status", status=409, after_acting=True, **POST, count=1)
    run = start(face, dbt_cloud, jobs.endless)
    assert [each["id"] for each in jobs.runs()] == [run.id]
    assert posts(jobs) == 1


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"theads_override": 4}, r"'theads_override' is not an override.*Did you mean threads_override\?$"),
        ({"steps": ["dbt build"]}, r"Known are .*git_branch.*Did you mean steps_override\?$"),
        ({"qqq": 1}, "Correct the name"),
        ({"schema_override": ["a"]}, r"schema_override is \['a'\]. It has to be a text"),
        ({"git_branch": " "}, "git_branch is ' '. It has to be a text that is not empty"),
        ({"threads_override": "4"}, "threads_override is '4'. It has to be a whole number"),
        ({"threads_override": True}, "threads_override is True"),
        ({"generate_docs_override": 1}, "generate_docs_override is 1. It has to be True or False"),
        ({"steps_override": "dbt build"}, "steps_override is 'dbt build'. It has to be a list of texts"),
        ({"steps_override": []}, r"steps_override is \[\]"),
        ({"steps_override": ["dbt build", 1]}, "steps_override is"),
        ({"cause": ""}, "cause is ''. It has to be a text that is not empty"),
        ({"cause": None}, "cause is None"),
        ({"once_key": ""}, "once_key is ''"),
        ({"once_key": 7}, "once_key is 7. It has to be a text"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named_and_nothing_is_sent(dbt_cloud, jobs, how, message):
    with client_of(dbt_cloud) as client, pytest.raises(InvalidArgument, match=message):
        client.jobs.run(jobs.instant, **{"cause": CAUSE, **how})
    assert jobs.control.requests() == []


def test_a_name_in_place_of_an_id_points_at_find(face, dbt_cloud, jobs):
    with pytest.raises(InvalidArgument, match=r"'Instant' is not a valid job id.*jobs\.find\(job=…\)"):
        start(face, dbt_cloud, "Instant")
    assert jobs.control.requests() == []


def test_a_job_that_is_not_there_is_not_found(face, dbt_cloud, jobs):
    with pytest.raises(NotFound):
        start(face, dbt_cloud, 999, once_key="today")


@pytest.mark.parametrize("finished", [True, False])
def test_a_second_call_with_the_key_returns_the_run(face, dbt_cloud, jobs, finished):
    job_id = jobs.failing if finished else jobs.endless
    run = start(face, dbt_cloud, job_id, once_key="today", threads_override=2)
    jobs.control.advance(10 * 86_400 if finished else 1)
    again = start(face, dbt_cloud, str(job_id), once_key="today", threads_override=2, cause="Another call")
    assert (again.id, again.status) == (run.id, 20 if finished else 3)
    assert posts(jobs) == 1


def test_other_keys_and_other_jobs_start_other_runs(face, dbt_cloud, jobs):
    runs = [
        start(face, dbt_cloud, job_id, once_key=key)
        for job_id, key in ((jobs.instant, "1"), (jobs.instant, "2"), (jobs.quick, "1"))
    ]
    assert len({run.id for run in runs}) == posts(jobs) == 3
    assert len({Marker.find(run.cause).task for run in runs}) == 3


def test_a_key_with_other_overrides_is_an_error(face, dbt_cloud, jobs):
    run = start(face, dbt_cloud, jobs.instant, once_key="today")
    with pytest.raises(InvalidArgument, match=rf"'today' belongs to run {run.id} .* has other overrides"):
        start(face, dbt_cloud, jobs.instant, once_key="today", threads_override=2)
    assert posts(jobs) == 1


def test_the_key_is_found_behind_newer_runs(face, dbt_cloud, jobs):
    run = start(face, dbt_cloud, jobs.instant, once_key="today")
    jobs.control.advance(13 * 86_400)
    jobs.control.seed(runs=[{"job_id": jobs.instant, "count": 250, "age": 12 * 86_400, "every": 4_000}])
    assert start(face, dbt_cloud, jobs.instant, once_key="today").id == run.id


def test_the_search_ends_two_weeks_before_the_newest_run(face, dbt_cloud, jobs):
    jobs.control.seed(runs=[{"job_id": jobs.instant, "count": 400, "age": 60 * 86_400, "every": 86_400 / 8}])
    start(face, dbt_cloud, jobs.instant, once_key="today")
    listed = jobs.asked("GET", "/runs/?")
    assert len(listed) == 2 + 1  # and one after the start
    assert posts(jobs) == 1


def test_the_key_of_a_start_whose_answer_is_lost_is_found(face, dbt_cloud, jobs):
    jobs.control.add_fault("status", status=409, after_acting=True, **POST, count=1)
    run = start(face, dbt_cloud, jobs.endless, once_key="today")
    assert start(face, dbt_cloud, jobs.endless, once_key="today").id == run.id
    assert posts(jobs) == 1


def test_where_the_runs_cannot_be_listed_no_run_is_started(face, dbt_cloud, jobs):
    jobs.control.add_fault("status", status=403, **LISTS)
    with pytest.raises(Forbidden):
        start(face, dbt_cloud, jobs.instant, once_key="today")
    assert posts(jobs) == 0


@pytest.mark.parametrize("cause", [None, "", "A test [af:abc", '{"run": {"runId": "0'])
def test_a_run_that_may_have_the_key_makes_the_start_unclear(face, raw_server, cause):
    shown = {"id": 9, "status": 10, "trigger": None if cause is None else {"cause": cause}}

    def reply(request):
        return answer(envelope([shown], total=1) if "/runs/?" in request.target else envelope(shown))

    raw_server.reply = reply
    with pytest.raises(AmbiguousStart, match="dbt Cloud does not show what started run 9"):
        start(face, raw_server, 5, once_key="today")
    assert {each.method for each in raw_server.received} == {"GET"}


@pytest.mark.parametrize("cause", ["scheduled", "A test", "A", "Load 50%", "By another tool…"])
def test_a_run_with_a_cause_of_its_own_is_no_doubt(face, raw_server, cause):
    shown = {"id": 9, "status": 10, "trigger": {"cause": cause}}

    def reply(request):
        is_list = "/runs/?" in request.target
        return answer(envelope([shown], total=1) if is_list else envelope({"id": 10, "status": 1}))

    raw_server.reply = reply
    assert start(face, raw_server, 5, once_key="today").id == 10


def test_two_calls_at_once_leave_one_run(dbt_cloud, jobs):
    """Both look before either starts: the later run is cancelled, and both calls return the earlier one."""
    both_have_looked, runs = threading.Barrier(2, timeout=10), []

    def call():
        looked = []

        def wait_before_the_start(event):
            if event.method == "POST" and event.path.endswith("/run/"):
                looked.append(both_have_looked.wait())

        with client_of(dbt_cloud, on_request=wait_before_the_start) as client:
            runs.append(client.jobs.run(jobs.endless, cause=CAUSE, once_key="today"))

    threads = [threading.Thread(target=call) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    first, second = jobs.runs()
    assert [run.id for run in runs] == [first["id"]] * 2
    assert (posts(jobs), second["status"]) == (2, 30)


def start_after_another(cloud, jobs, then=bool, **how):
    """Start a run with a key just after another call has started one with it, without overrides."""
    with client_of(cloud) as client:
        key = Marker.find(client.jobs.run(jobs.instant, cause=CAUSE, once_key="today").cause)
    jobs.control.reset()
    jobs.control.seed(jobs=JOBS)

    def another_call_starts(event):
        if event.method == "POST" and event.path.endswith("/run/"):
            jobs.started(jobs.instant, cause=key.add_to("Another call"))
            then()

    with client_of(cloud, on_request=another_call_starts) as client:
        return client.jobs.run(jobs.instant, cause=CAUSE, once_key="today", **how)


@pytest.mark.parametrize("failing", ["*/cancel/", "*/runs/"])
def test_a_duplicate_that_cannot_be_removed_is_no_error(dbt_cloud, jobs, failing, caplog):
    """A start that has succeeded does not fail afterwards."""

    def fail():
        jobs.control.add_fault("status", status=403, route=failing)

    run = start_after_another(dbt_cloud, jobs, fail)
    jobs.control.clear_faults()
    assert [each["id"] for each in jobs.runs()][1] == run.id
    assert f"Could not make sure that run {run.id} is the only one" in caplog.text


def test_a_duplicate_with_other_overrides_is_cancelled_and_an_error(dbt_cloud, jobs):
    with pytest.raises(InvalidArgument, match="has other overrides"):
        start_after_another(dbt_cloud, jobs, threads_override=2)
    assert [each["trigger"]["threads_override"] for each in jobs.runs()] == [None, 2]
    assert len(jobs.asked("POST", "/cancel/")) == 1


def client_of(cloud, **options):
    return DbtCloudClient(token=cloud.token, account_id=1, host=cloud.url, **options)
