"""Lists of runs: what the filters find on a local dbt Cloud, and what is sent for them."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from dbtcloud.client.run_status import RunStatus
from dbtcloud.errors import InvalidArgument, NotFound
from wires.raw import answer, envelope

HOUR = 3600
DONE = {"running": 0, "outcome": 10}


@pytest.fixture
def sent(face, raw_server):
    """The query that a list sends."""

    def query(**filters):
        raw_server.reply = answer(envelope([], total=0))
        assert face.ask(raw_server, lambda client: client.runs.list(**filters)) == []
        target = urlsplit(raw_server.received[-1].target)
        assert target.path == "/api/v2/accounts/1/runs/"
        return {name: value for name, (value,) in parse_qs(target.query).items()}

    return query


@pytest.fixture
def runs(dbt_cloud):
    """Ids of eight runs, one each hour, the last one of which was made just now."""
    outcomes = [10, 20, 30, 10, 20, 10, 10]
    entries = [
        {"count": 1, "age": (7 - at) * HOUR, "pretend": {"running": 1800, "outcome": outcome}}
        for at, outcome in enumerate(outcomes)
    ]
    ids = dbt_cloud.control.seed(runs=[*entries, {"pretend": {"running": 36_000}}])["runs"]
    assert len(ids) == 8
    return ids


def ids_of(face, cloud, **filters):
    return [run.id for run in face.ask(cloud, lambda client: client.runs.list(**filters))]


def test_the_newest_run_comes_first(face, dbt_cloud, runs):
    assert ids_of(face, dbt_cloud) == runs[::-1]
    assert ids_of(face, dbt_cloud, limit=2) == runs[:-3:-1]
    assert ids_of(face, dbt_cloud, order_by="created_at", limit=3) == runs[:3]


def test_runs_are_found_by_their_status(face, dbt_cloud, runs):
    for status, found in (
        ("error", [4, 1]),
        (" Error ", [4, 1]),
        (RunStatus.ERROR, [4, 1]),
        (20, [4, 1]),
        ("20", [4, 1]),
        (["error", RunStatus.CANCELLED, 20], [4, 2, 1]),
        (("running",), [7]),
        ({"RUNNING", 30}, [7, 2]),
        (40, []),
    ):
        assert ids_of(face, dbt_cloud, status=status) == [runs[at] for at in found], status


def test_runs_are_found_by_job_project_and_environment(face, dbt_cloud, runs):
    job = {"id": 60, "name": "Other", "pretend": DONE}
    (other,) = dbt_cloud.control.seed(jobs=[job], runs=[{"job_id": 60}])["runs"]
    assert ids_of(face, dbt_cloud, job_id="60") == [other]
    assert ids_of(face, dbt_cloud, job_id=60, project_id=1, environment_id=2) == []
    assert other in ids_of(face, dbt_cloud, project_id=1, environment_id=1)


@pytest.mark.parametrize("offset", [None, UTC, timezone(timedelta(hours=5, minutes=30))])
def test_a_time_is_exact(face, dbt_cloud, runs, offset):
    [third] = face.ask(dbt_cloud, lambda client: client.runs.list(status=30))
    created = third.created_at.astimezone(offset or UTC)
    created = created if offset else created.replace(tzinfo=None)
    later = created - timedelta(microseconds=1)
    assert ids_of(face, dbt_cloud, created_after=created) == runs[:2:-1]
    assert ids_of(face, dbt_cloud, created_after=later.isoformat()) == runs[:1:-1]
    assert ids_of(face, dbt_cloud, created_after=later, limit=2) == runs[:-3:-1]


def test_a_run_that_has_not_ended_ended_after_no_time(face, dbt_cloud, runs):
    assert ids_of(face, dbt_cloud, finished_after="2000-01-01", order_by="finished_at") == runs[:-1]
    [third] = face.ask(dbt_cloud, lambda client: client.runs.list(status="cancelled"))
    found = ids_of(face, dbt_cloud, finished_after=third.finished_at, status="success")
    assert found == [runs[6], runs[5], runs[3]]


def test_related_objects_come_with_the_runs(face, dbt_cloud, runs):
    for names in (["trigger"], "trigger"):
        related = {"include_related": names, "limit": 1}
        (run,) = face.ask(dbt_cloud, lambda client, related=related: client.runs.list(**related))
        assert run.cause is not None
        got = face.ask(dbt_cloud, lambda client, names=names: client.runs.get(runs[0], include_related=names))
        assert got.cause is not None


def test_a_range_is_sent_without_an_offset_and_widened(sent):
    """With an offset, dbt Cloud has been seen to heed the date alone."""
    query = sent(created_after=datetime(2026, 11, 28, 1, tzinfo=timezone(timedelta(hours=2))))
    assert json.loads(query["created_at__range"]) == ["2026-11-25T23:00:00", "2999-12-31T00:00:00"]
    query = sent(finished_after=date(2026, 11, 28))
    assert json.loads(query["finished_at__range"])[0] == "2026-11-26T00:00:00"
    query = sent(finished_after=datetime.min)  # noqa: DTZ901 -- it has no offset
    assert json.loads(query["finished_at__range"])[0] == "1979-12-30T00:00:00"


def test_what_is_not_asked_for_is_not_sent(sent):
    assert sent() == {"order_by": "-id", "limit": "100", "offset": "0"}
    assert sent(status="success", limit=5) == {
        "order_by": "-id",
        "status": "10",
        "limit": "5",
        "offset": "0",
    }
    assert sent(status=["error", 20])["status"] == "20"
    assert sent(status=["queued", "running"])["status__in"] == "[1,3]"


def test_a_filter_that_means_nothing_is_named(face, raw_server):
    for filters, message in (
        ({"status": "sucess"}, r"'sucess' is not a status of runs.*success \(10\).*such as 'success'"),
        ({"status": ["error", "green"]}, "'green' is not a status"),
        ({"status": 1.5}, "1.5 is not a status"),
        ({"status": True}, "True is not a status"),
        ({"status": -1}, "-1 is not a status"),
        ({"status": b"success"}, "'success' is not a status"),
        ({"status": []}, "list of statuses is empty"),
        ({"job_id": "Nightly"}, "'Nightly' is not a valid job id"),
        ({"project_id": 1.5}, "1.5 is not a valid project id"),
        ({"created_after": "yesterday"}, "'yesterday' is not a time"),
        ({"finished_after": 1732752000}, "1732752000 is not a time"),
        ({"created_after": datetime.max}, "is not a time"),  # noqa: DTZ901 -- it has no offset
        ({"created_after": ""}, "'' is not a time"),
        ({"limit": -1}, "cannot have the limit -1"),
        ({"limit": "5"}, "cannot have the limit '5'"),
        ({"order_by": "name"}, "cannot be sorted by 'name'.*-finished_at"),
    ):
        with pytest.raises(InvalidArgument, match=message):
            face.ask(raw_server, lambda client, given=filters: client.runs.list(**given))
    assert raw_server.received == []


def test_a_run_is_read_by_its_id(face, dbt_cloud, runs):
    run = face.ask(dbt_cloud, lambda client: client.runs.get(str(runs[1])))
    assert (run.id, run.status_humanized, run.is_success) == (runs[1], "Error", False)
    with pytest.raises(NotFound):
        face.ask(dbt_cloud, lambda client: client.runs.get(99))
    with pytest.raises(InvalidArgument, match=r"'Nightly' is not a valid run id.*number\.$"):
        face.ask(dbt_cloud, lambda client: client.runs.get("Nightly"))
