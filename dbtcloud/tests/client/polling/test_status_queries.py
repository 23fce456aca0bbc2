"""Many runs read with few requests."""

from datetime import UTC, datetime, timedelta

import pytest

from dbtcloud.client.polling.batch_status_reader import _read_by_ids, _read_by_lists, _read_one


@pytest.fixture
def seeded(dbt_cloud, jobs):
    """150 runs that go on, then 250 that have ended one minute apart, then one that goes on."""
    going = {"job_id": jobs.endless, "count": 150, "age": 20_000}
    ended = {"job_id": jobs.instant, "count": 250, "age": 250 * 60, "every": 60}
    ids = jobs.control.seed(runs=[going, ended, {"job_id": jobs.endless}])["runs"]
    jobs.control.clear_requests()
    return ids


@pytest.fixture
def ask(engine, access, dbt_cloud):
    return lambda call: engine.ask(access(dbt_cloud.url, token=dbt_cloud.token), call)


def test_a_hundred_ids_are_one_request(ask, seeded, jobs):
    found = ask(_read_by_ids("1", seeded[100:200]))
    assert {run_id: run["status"] for run_id, run in found.items()} == {
        **dict.fromkeys(seeded[100:150], 3),
        **dict.fromkeys(seeded[150:200], 10),
    }
    assert len(jobs.control.requests()) == 1


def test_an_id_that_is_not_there_is_missing(ask, seeded):
    assert set(ask(_read_by_ids("1", [seeded[0], 999_999]))) == {seeded[0]}


def test_lists_hold_what_goes_on_and_the_last_page_of_what_has_ended(ask, seeded, jobs):
    found = ask(_read_by_lists("1", seeded, None))
    assert set(found) == {*seeded[:150], *seeded[300:]}
    assert len(jobs.control.requests()) == 3


def test_what_has_ended_is_read_back_to_a_moment(ask, seeded, jobs):
    since = datetime.now(UTC) - timedelta(minutes=150)
    found = ask(_read_by_lists("1", seeded, since))
    assert set(found) == {*seeded[:150], *seeded[200:]}
    assert len(jobs.control.requests()) == 4


def test_where_all_go_on_what_has_ended_is_not_read(ask, seeded, jobs):
    found = ask(_read_by_lists("1", seeded[:120], None))
    assert set(found) == set(seeded[:120])
    assert len(jobs.control.requests()) == 2


def test_only_what_is_wanted_is_told(ask, seeded):
    assert set(ask(_read_by_lists("1", [seeded[3], seeded[-2]], None))) == {seeded[3], seeded[-2]}


def test_one_run_by_its_own_request(ask, seeded, jobs):
    assert ask(_read_one("1", seeded[0]))[seeded[0]]["status"] == 3
    assert jobs.control.requests()[0]["target"].endswith(f"/runs/{seeded[0]}/")
