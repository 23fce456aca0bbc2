"""Jobs are found by name, and keep all that an update does not name."""

import json

import pytest

from dbtcloud.errors import (
    AmbiguousStart,
    BadRequest,
    InvalidArgument,
    LookupFailed,
    NotFound,
    TransportError,
)
from wires.raw import answer, envelope, refusal

JOB = {
    "id": 5,
    "name": "Nightly",
    "dbt_version": None,
    "triggers": {"schedule": True, "github_webhook": False, "of_tomorrow": True},
    "settings": {"threads": 4, "target_name": "prod"},
    "schedule": {
        "cron": "0 5 * * 1",
        "date": {"type": "days_of_week", "days": [1]},
        "time": {"type": "at_exact_hours", "hours": [5]},
    },
    "of_tomorrow": {"a": 1},
    "environment": {"id": 2, "name": "Production"},
    "most_recent_run": {"id": 9},
}
SENT = {name: value for name, value in JOB.items() if name not in {"environment", "most_recent_run"}}

REQUIRED = {
    *(
        "account_id",
        "environment_id",
        "errors_on_lint_failure",
        "execution",
        "generate_docs",
        "name",
        "state",
    ),
    *("lifecycle_webhooks", "project_id", "run_compare_changes", "run_generate_sources", "run_lint"),
    *("settings", "triggers"),
}
"""The required fields of `HumanReadableJobDefinitionRequest` in the published specification."""


@pytest.fixture
def update(face, raw_server):
    """Updates job 5, and returns what was sent."""

    def of(**changes):
        raw_server.reply = answer(envelope(JOB))
        face.ask(raw_server, lambda client: client.jobs.update(5, **changes))
        read, written = raw_server.received
        assert (read.method, written.method) == ("GET", "POST")
        assert read.target == written.target == "/api/v2/accounts/1/jobs/5/"
        return json.loads(written.body)

    return of


def test_an_update_sends_the_whole_job(update):
    assert update(name="Daily", dbt_version="1.11.0") == {**SENT, "name": "Daily", "dbt_version": "1.11.0"}


def test_an_update_keeps_the_other_fields_of_an_object(update):
    changed = update(triggers={"schedule": False}, settings={"threads": 8})
    assert changed["triggers"] == {"schedule": False, "github_webhook": False, "of_tomorrow": True}
    assert changed["settings"] == {"threads": 8, "target_name": "prod"}


def test_none_empties_a_field(update):
    assert update(of_tomorrow=None, description=None) == {**SENT, "of_tomorrow": None, "description": None}


@pytest.mark.parametrize(
    ("change", "schedule"),
    [
        (
            {"date": {"type": "every_day"}},
            {"date": {"type": "every_day"}, "time": JOB["schedule"]["time"]},
        ),
        (
            {"time": {"hours": [6]}},
            {"date": JOB["schedule"]["date"], "time": {"type": "at_exact_hours", "hours": [6]}},
        ),
        (
            {"cron": "7 * * * *"},
            {
                "cron": "7 * * * *",
                "date": {"type": "custom_cron", "cron": "7 * * * *"},
                "time": JOB["schedule"]["time"],
            },
        ),
    ],
)
def test_a_schedule_does_not_contradict_itself(update, change, schedule):
    """The cron expression that dbt Cloud shows is that of the other parts."""
    assert update(schedule=change)["schedule"] == schedule


def test_a_cron_expression_alone_takes_effect(face, dbt_cloud, jobs):
    changed = face.ask(
        dbt_cloud, lambda client: client.jobs.update(jobs.quick, schedule={"cron": "7 3 * * *"})
    )
    assert (changed.cron, changed.scheduled) == ("7 3 * * *", False)


def test_an_update_is_sent_again_after_a_failure_that_may_pass(face, raw_server):
    raw_server.replies(answer(envelope(JOB)), answer({}, 502), answer(envelope(JOB)))
    assert face.ask(raw_server, lambda client: client.jobs.update(5, name="x")).name == "Nightly"


def test_a_field_that_dbt_cloud_refuses_is_named(face, dbt_cloud, jobs):
    with pytest.raises(BadRequest, match="job_type"):
        face.ask(dbt_cloud, lambda client: client.jobs.update(jobs.quick, job_type="odd"))


def test_a_new_job_has_what_dbt_cloud_requires(face, raw_server):
    raw_server.reply = answer(envelope(JOB), 201)
    how = {"triggers": {"schedule": True}, "schedule": {"cron": "7 3 * * *"}, "description": None}
    face.ask(raw_server, lambda c: c.jobs.create("New", project_id="1", environment_id=2, **how))
    (sent,) = raw_server.received
    body = json.loads(sent.body)
    assert set(body) >= REQUIRED
    assert (body["name"], body["project_id"], body["environment_id"]) == ("New", 1, 2)
    assert body["triggers"] == {"schedule": True, "github_webhook": False, "git_provider_webhook": False}
    assert body["schedule"]["date"] == {"type": "custom_cron", "cron": "7 3 * * *"}
    assert "description" not in body


def test_a_job_is_created_and_deleted(face, dbt_cloud, jobs):
    def create(client):
        return client.jobs.create("New", project_id=1, environment_id=1, execute_steps=["dbt build"])

    job = face.ask(dbt_cloud, create)
    assert (job.execute_steps, job.scheduled, job.threads) == (["dbt build"], False, 4)
    assert face.ask(dbt_cloud, lambda client: client.jobs.delete(job.id)) is None
    with pytest.raises(NotFound):
        face.ask(dbt_cloud, lambda client: client.jobs.get(job.id))


@pytest.fixture
def twins(dbt_cloud):
    """Jobs of one name in two environments of project 1."""
    dbt_cloud.control.seed(
        environments=[{"id": 70, "name": "Twin stage", "project_id": 1}],
        jobs=[
            {"id": 71, "name": "Twin", "environment_id": 70},
            {"id": 72, "name": "Twin", "environment_id": 1},
            {"id": 73, "name": "Twin sister", "environment_id": 1},
        ],
    )
    return dbt_cloud


def test_jobs_are_listed_by_place_and_name(face, twins):
    def names(**filters):
        return [job.id for job in face.ask(twins, lambda client: client.jobs.list(**filters))]

    assert names(name_contains="twin") == [71, 72, 73]
    assert names(name_contains="twin", environment_id="70") == [71]
    assert names(name_contains="twin", project_id=1, limit=1) == [71]


@pytest.mark.parametrize("place", ["project_id", "environment_id"])
def test_a_name_of_a_place_is_refused_before_anything_is_sent(face, raw_server, place):
    with pytest.raises(InvalidArgument, match=f"'Bakery' is not a valid {place.replace('_', ' ')}"):
        face.ask(raw_server, lambda client: client.jobs.list(**{place: "Bakery"}))
    assert raw_server.received == []


@pytest.mark.parametrize(
    ("names", "job_id"),
    [
        ({"job": "Twin sister"}, 73),
        ({"job": "Twin sister", "project": "Sample bakery"}, 73),
        ({"job": "Twin", "environment": "Twin stage"}, 71),
        ({"job": "Twin", "environment": "Twin stage", "project": "Sample bakery"}, 71),
    ],
)
def test_a_job_is_found_by_what_is_known(face, twins, names, job_id):
    assert face.ask(twins, lambda client: client.jobs.find(**names)).id == job_id


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"job": "Twin"}, r"Found 2 jobs named 'Twin'.*job 71 \(environment 70"),
        ({"job": "Twin", "project": "Sample bakery"}, "Found 2 jobs named 'Twin' in project 'Sample bakery'"),
        ({"job": "twin sister"}, "Found 0 jobs named 'twin sister'"),
        (
            {"job": "Twin sister", "environment": "Twin stage"},
            "Found 0 jobs .* in an environment 'T",
        ),
        ({"job": "Twin", "project": "None"}, "Found 0 projects named 'None'"),
        ({"job": "Twin", "project": "Sample bakery", "environment": "None"}, "Found 0 environments named"),
    ],
)
def test_a_name_that_is_not_the_only_one_is_explained(face, twins, names, message):
    with pytest.raises(LookupFailed, match=message):
        face.ask(twins, lambda client: client.jobs.find(**names))


@pytest.mark.parametrize("names", [{"job": ""}, {"job": 7}, {"job": "Twin", "project": ""}])
def test_what_is_no_name_is_refused(face, raw_server, names):
    with pytest.raises(InvalidArgument, match="It has to be a text that is not empty"):
        face.ask(raw_server, lambda client: client.jobs.find(**names))
    assert raw_server.received == []


def test_a_rerun_continues_the_failed_run(face, dbt_cloud, jobs):
    failed = jobs.started(jobs.failing)
    jobs.control.advance(1)
    run = face.ask(dbt_cloud, lambda client: client.jobs.rerun(jobs.failing))
    assert run.retried_run_id == failed


@pytest.mark.parametrize("status", [429, 502])
def test_a_rerun_whose_answer_is_unclear_is_not_sent_again(face, raw_server, status):
    raw_server.reply = answer({}, status)
    with pytest.raises(AmbiguousStart, match=rf"{status}.* for one that began just now"):
        face.ask(raw_server, lambda client: client.jobs.rerun(5))
    assert len(raw_server.received) == 1


def test_a_rerun_that_is_refused_or_never_left_is_clear(face, raw_server, closed_port):
    raw_server.reply = refusal(400, "No runs")
    with pytest.raises(BadRequest, match="No runs"):
        face.ask(raw_server, lambda client: client.jobs.rerun(5))
    with pytest.raises(TransportError):
        face.ask(raw_server, lambda client: client.jobs.rerun(5), host=f"http://127.0.0.1:{closed_port}")


@pytest.mark.parametrize("method", ["get", "update", "delete", "rerun"])
def test_a_name_in_place_of_an_id_points_at_find(face, raw_server, method):
    with pytest.raises(InvalidArgument, match=r"'Nightly' is not a valid job id.*jobs\.find"):
        face.ask(raw_server, lambda client: getattr(client.jobs, method)("Nightly"))
    assert raw_server.received == []
