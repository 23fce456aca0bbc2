"""The pages of a list are read at the same time, and handed on in their order."""

import json
import pickle
import threading
import time

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from wires.raw import answer, envelope


@pytest.fixture
def thousand(dbt_cloud):
    dbt_cloud.control.reset()
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {}}])
    ids = dbt_cloud.control.seed(runs=[{"job_id": 70, "count": 1000}])["runs"]
    dbt_cloud.control.clear_requests()
    return ids


def test_rows_come_in_order_and_each_once(hook, thousand):
    told = []
    pages = hook.list_job_runs(order_by="-id", each=lambda rows, total: told.append((rows, total)))
    assert pages == []
    assert [row["id"] for rows, _ in told for row in rows] == thousand[::-1]
    assert {total for _, total in told} == {1000}


def test_pages_come_as_responses_in_order(hook, thousand, dbt_cloud):
    pages = hook.list_job_runs(order_by="id")
    assert [run["id"] for page in pages for run in page.json()["data"]] == thousand
    assert len(pages) == dbt_cloud.control.counters()["requests"] == 10


def test_a_page_is_read_as_any_response_though_it_lies_compressed(hook, thousand):
    [page] = hook.list_job_runs(order_by="id", limit=100)
    assert page.ok
    assert json.loads(page.text) == json.loads(b"".join(page.iter_content(1000))) == page.json()
    assert int(page.headers["Content-Length"]) == len(page.content)
    assert len(page._compressed) < len(page.content) / 10
    assert pickle.loads(pickle.dumps(page)).json() == page.json()


def test_pages_that_are_slow_are_waited_for_together(hook, thousand, dbt_cloud):
    dbt_cloud.control.add_fault("delay", seconds=0.3, route="*/runs/*")
    begun = time.monotonic()
    assert len(hook.list_job_runs()) == 10
    assert time.monotonic() - begun < 10 * 0.3


def test_who_has_enough_is_given_no_more(hook, thousand, dbt_cloud):
    told = []
    hook.list_job_runs(each=lambda rows, _: told.append(len(rows)) or False)
    assert told == [100]
    assert dbt_cloud.control.counters()["requests"] == 1


def test_a_page_that_cannot_be_read_fails_the_list_and_leaves_no_thread(hook, thousand, dbt_cloud):
    def each(rows, total):
        dbt_cloud.control.add_fault("status", status=403, route="*/runs/*")

    with pytest.raises(DbtCloudApiException, match="403"):
        hook.list_job_runs(each=each)
    assert not [each for each in threading.enumerate() if "dbt Cloud hook" in each.name]


@pytest.mark.parametrize("verb", ["list_job_runs", "list_jobs"])
@pytest.mark.parametrize("each", [None, lambda rows, total: None], ids=["pages", "rows"])
def test_pages_that_repeat_each_other_are_an_error_after_few_requests(connect, raw_server, verb, each):
    raw_server.reply = answer(envelope([{"id": n, "status": 3} for n in range(100)], total=10**9))
    hook = connect(host=raw_server.url)
    with pytest.raises(DbtCloudApiException, match="has 1000000000 rows, but the last 3 pages repeat"):
        getattr(hook, verb)(each=each)
    assert len(raw_server.received) <= 20


@pytest.mark.parametrize("verb", ["list_projects", "list_job_runs"])
def test_a_list_that_promises_rows_which_do_not_come_is_an_error(connect, raw_server, verb):
    raw_server.replies(
        answer(envelope([{"id": 1, "status": 3}, {"id": 2, "status": 3}], total=10**9)),
        answer(envelope([], total=10**9)),
    )
    with pytest.raises(DbtCloudApiException, match="a page of 0 rows at offset"):
        getattr(connect(host=raw_server.url), verb)()
    assert len(raw_server.received) <= 50
