"""What retry_limit, retry_delay and retry_args mean, on both wires."""

import asyncio
import time

import pytest
import requests
import tenacity

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook


@pytest.fixture
def attempts(dbt_cloud, connect, status_of_run_7):
    """How often a request is made that is answered by 503 each time."""

    def count(**options):
        dbt_cloud.control.add_fault("status", status=503)
        with pytest.raises(DbtCloudApiException, match="answered 503"):
            status_of_run_7(connect(dbt_cloud, options=options))
        return dbt_cloud.control.counters()["requests"]

    return count


@pytest.mark.parametrize(("limit", "requests_"), [(1, 4), (3, 4), (6, 6)])
def test_a_read_is_tried_four_times_or_more_if_asked_for(attempts, limit, requests_):
    assert attempts(retry_limit=limit) == requests_


@pytest.mark.parametrize("limit", [0, -1])
def test_fewer_attempts_than_one_are_refused(limit):
    with pytest.raises(ValueError, match=f"retry_limit is {limit}"):
        DbtCloudHook(retry_limit=limit)


def test_tenacitys_stop_decides_when_given(attempts):
    assert attempts(retry_args={"stop": tenacity.stop_after_attempt(2)}) == 2


def test_tenacitys_time_limit_ends_the_attempts(attempts):
    args = {"stop": tenacity.stop_after_delay(0.1), "wait": tenacity.wait_fixed(0.02)}
    assert attempts(retry_args=args) >= 2


def test_tenacitys_wait_and_retry_decide_when_given(attempts):
    waited = []

    def wait(state):
        waited.append(state.attempt_number)
        return 0

    never = tenacity.retry_if_exception_type(ZeroDivisionError)
    assert attempts(retry_args={"wait": wait, "stop": tenacity.stop_after_attempt(3)}) == 3
    assert waited == [1, 2]
    assert attempts(retry_args={"wait": wait, "retry": never}) == 3 + 1


def test_tenacitys_retry_sees_the_error_beneath_too(connect, closed_port):
    seen = []

    def retry(state):
        seen.append(state.outcome.exception())
        return False

    with pytest.raises(DbtCloudApiException):
        connect(
            host=f"http://127.0.0.1:{closed_port}", options={"retry_args": {"retry": retry}}
        ).get_account()
    assert isinstance(seen[1], requests.ConnectionError)


LOST = [
    {"kind": "status", "status": 500, "after_acting": True},
    {"kind": "reset", "after_acting": True},
]
INSISTENT = {
    "retry_limit=5": {"retry_limit": 5},
    "retry_args": {
        "retry_args": {
            "stop": tenacity.stop_after_attempt(5),
            "retry": tenacity.retry_if_exception_type(Exception),
        }
    },
}


@pytest.mark.parametrize("fault", LOST, ids=["500", "reset"])
@pytest.mark.parametrize("options", INSISTENT)
def test_a_run_is_started_once_however_much_is_insisted_on(dbt_cloud, connect, fault, options):
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {}}])
    dbt_cloud.control.add_fault(**fault, method="POST", count=1)
    run = connect(dbt_cloud, options=INSISTENT[options]).trigger_job_run(70, "x").json()["data"]["id"]
    posts = [each for each in dbt_cloud.control.requests() if each["method"] == "POST"]
    assert (len(posts), dbt_cloud.control.counters()["runs_created"]) == (1, 1)
    assert run > 0


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_answer_lost_behind_a_proxy_starts_no_second_run(request, connect, authority, proxy_to, scheme):
    cloud = request.getfixturevalue("tls_cloud" if scheme == "https" else "dbt_cloud")
    proxy = proxy_to({"ab123.us1.dbt.com": ("127.0.0.1", int(cloud.url.rpartition(":")[2]))})
    cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {}}])
    cloud.control.add_fault("reset", after_acting=True, method="POST", count=1)
    extra = {
        "verify": authority.file,
        "proxies": {scheme: proxy.url},
        "allow_insecure_http": ["ab123.us1.dbt.com"],
    }
    connect(cloud, host=f"{scheme}://ab123.us1.dbt.com", extra=extra).trigger_job_run(70, "x")
    assert cloud.control.counters()["runs_created"] == 1


def test_a_start_that_no_proxy_carried_is_asked_for_again_at_once(connect, proxy_to, tls_cloud, authority):
    port = int(tls_cloud.url.rpartition(":")[2])
    proxy = proxy_to({"ab123.us1.dbt.com": ("127.0.0.1", port)})
    extra = {"verify": authority.file, "proxies": {"https": proxy.url.replace(proxy.user, "nobody")}}
    hook = connect(tls_cloud, host="https://ab123.us1.dbt.com", extra=extra)
    with pytest.raises(DbtCloudApiException, match="407") as refused:
        hook.trigger_job_run(1, "x")
    assert not refused.value.error.sent


def test_a_start_that_a_rate_limit_refused_is_sent_again(dbt_cloud, connect, monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {}}])
    dbt_cloud.control.add_fault("status", status=429, method="POST", count=2)
    connect(dbt_cloud).trigger_job_run(70, "x")
    assert dbt_cloud.control.counters()["runs_created"] == 1
    # A 429 may have taken effect, so the run is searched for before the request is sent again.
    assert sum(slept) >= 2 * 180


async def test_coroutines_keep_to_the_same_limits(dbt_cloud, connect):
    dbt_cloud.control.add_fault("status", status=503)
    hook = connect(dbt_cloud, options={"retry_args": {"stop": tenacity.stop_after_attempt(2)}})
    with pytest.raises(DbtCloudApiException):
        await asyncio.gather(hook.get_job_status(7), hook.get_job_status(8))
    assert dbt_cloud.control.counters()["requests"] <= 4
