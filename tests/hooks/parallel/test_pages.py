"""The pages of a list are read at the same time, and handed on in their order."""

import json
import pickle
import threading
import time

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudApiException


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
