"""dbt Cloud's objects, read once where they arrive."""

from datetime import UTC, datetime, timedelta

import pytest

from dbtcloud.client.errors import MalformedResponse
from dbtcloud.client.models import Job, Run, Step
from dbtcloud.client.run_status import RunStatus

RUN = {
    "id": 70403110257794,
    "status": 3,
    "job_definition_id": 7,
    "status_message": None,
    "href": "https://x/deploy/1/projects/2/runs/3/",
    "trigger": {"cause": "because"},
    "created_at": "2026-01-02 03:04:05.678901+00:00",
    "started_at": "2026-01-02T03:04:06Z",
    "finished_at": None,
    "run_steps": [{"index": 1, "name": "Clone git repository", "status": 10, "logs": "cloned"}],
}


def test_a_run_is_read_whole():
    run = Run.parse(RUN)
    assert (run.id, run.status, run.job_id, run.cause, run.href) == (
        70403110257794,
        3,
        7,
        "because",
        RUN["href"],
    )
    assert run.created_at == datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
    assert run.started_at - run.created_at < timedelta(seconds=1)
    assert run.finished_at is None
    assert run.steps == (Step(1, "Clone git repository", 10, "cloned"),)
    assert run.data is RUN


def test_a_run_that_says_little_is_read_too():
    run = Run.parse({"id": 1, "status": 1, "trigger": None, "run_steps": None})
    assert (run.cause, run.steps, run.created_at) == (None, (), None)


@pytest.mark.parametrize("lacking", ["id", "status"])
def test_a_run_without_id_or_status_is_malformed(lacking):
    with pytest.raises(MalformedResponse, match=f"a run without '{lacking}'") as refused:
        Run.parse({**RUN, lacking: None})
    assert "because" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "finished"),
    [(1, False), (2, False), (3, False), (10, True), (20, True), (30, True), (4, False)],
)
def test_a_run_is_finished_with_the_statuses_that_are_known_to_end_it(status, finished):
    assert Run(id=1, status=status).finished is finished


def test_statuses_have_names():
    assert [RunStatus.name_of(status) for status in RunStatus] == [
        *("Queued", "Starting", "Running", "Success", "Error", "Cancelled")
    ]
    assert RunStatus.name_of(99) == "status 99"


def test_named_things_keep_all_that_came():
    job = Job.parse({"id": 1, "name": None, "extra": True})
    assert (job.id, job.name, job.data["extra"]) == (1, "", True)
    assert "extra" not in repr(job)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"a": "secret"}, "an object with a"),
        ({}, "an object with no fields"),
        (["secret"], "a list"),
        ("secret", "a string"),
        (7, "a number"),
        (True, "a boolean"),
        (None, "null"),
    ],
)
def test_what_came_is_outlined_and_not_quoted(data, said):
    assert MalformedResponse.unexpected("x", data).why == f"It sent {said}"


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("Invoke dbt with `dbt build --vars '{a: `b`}'`", "dbt build --vars '{a: `b`}'"),
        ("Invoke dbt with `dbt retry`", "dbt retry"),
        ("Clone git repository", None),
    ],
)
def test_a_step_names_its_command(name, command):
    assert Step(1, name, 10).dbt_command == command
