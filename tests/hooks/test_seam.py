"""The public verbs are the seam: overriding or patching one takes effect in those that build on it."""

import logging

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudJobRunException
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook


class Answer:
    """As much of a response as verbs look at."""

    def __init__(self, data):
        self.data = data

    def json(self):
        return {"data": self.data}


def run_of(status, **fields):
    return Answer({"id": 7, "status": status, **fields})


def failing(hook):
    with pytest.raises(DbtCloudJobRunException, match="has failed"):
        hook.wait_for_job_run_status(7, check_interval=0)


async def coroutine_status(hook):
    assert await hook.get_job_status(7) == 20


CASES = {
    "get_job_run used by get_job_run_status": (
        {"get_job_run": lambda self, run_id, account_id=None, include_related=None: run_of(20)},
        lambda hook: hook.get_job_run_status(7) == 20,
    ),
    "get_job_run used by log_job_run_failure_details": (
        {"get_job_run": lambda self, run_id, account_id=None, include_related=None: run_of(20)},
        lambda hook: hook.log_job_run_failure_details(7) is None,
    ),
    "get_job_run used by wait_for_job_run_status": (
        {"get_job_run": lambda self, run_id, account_id=None, include_related=None: run_of(10)},
        lambda hook: hook.wait_for_job_run_status(7, check_interval=0),
    ),
    "get_job_run_status used by wait_for_job_run_status": (
        {"get_job_run_status": lambda self, run_id, account_id=None: 10},
        lambda hook: hook.wait_for_job_run_status(7, check_interval=0),
    ),
    "get_job_runs used by trigger_job_run": (
        {"get_job_runs": lambda self, account_id=None, payload=None: Answer([{"id": 7, "status": 20}])},
        lambda hook: hook.trigger_job_run(70, "x", retry_from_failure=True).status_code == 200,
    ),
}


@pytest.fixture(params=["overridden", "patched on the class", "patched on the hook"])
def with_verbs(request, connect, raw_server, monkeypatch):
    """A hook whose verbs are replaced; counts their calls."""

    def make(verbs):
        calls = []

        def counted(verb):
            return lambda self, *args, **kwargs: calls.append(args) or verb(self, *args, **kwargs)

        replaced = {name: counted(verb) for name, verb in verbs.items()}
        if request.param == "overridden":
            return connect(host=raw_server.url, kind=type("Own", (DbtCloudHook,), replaced)), calls
        hook = connect(host=raw_server.url)
        target = DbtCloudHook if request.param == "patched on the class" else hook
        for name, verb in replaced.items():
            monkeypatch.setattr(target, name, verb if target is DbtCloudHook else verb.__get__(hook))
        return hook, calls

    return make


@pytest.mark.parametrize("case", CASES)
def test_a_replaced_verb_is_the_one_that_is_used(with_verbs, raw_server, case):
    verbs, use = CASES[case]
    hook, calls = with_verbs(verbs)
    assert use(hook)
    assert calls
    assert all(each.method == "POST" for each in raw_server.received)


def test_a_replaced_failure_report_is_the_one_that_is_made(with_verbs):
    hook, calls = with_verbs(
        {
            "get_job_run_status": lambda self, run_id, account_id=None: 20,
            "log_job_run_failure_details": lambda self, run_id, account_id=None, job_run=None: None,
        }
    )
    with pytest.raises(DbtCloudJobRunException, match="has failed"):
        hook.wait_for_job_run_status(7, check_interval=0)
    assert len(calls) == 2


async def test_replaced_details_are_those_of_the_status(with_verbs, raw_server):
    async def details(self, run_id, account_id=None, include_related=None):
        return {"data": {"status": 20}}

    hook, calls = with_verbs({"get_job_details": details})
    assert await hook.get_job_status(7) == 20
    assert len(calls) == 1
    assert raw_server.received == []


def test_a_replaced_connection_is_the_one_that_is_used(connect, raw_server, closed_port):
    there = connect(host=raw_server.url).connection

    class Own(DbtCloudHook):
        def get_connection(self, conn_id):
            logging.getLogger(__name__).debug("asked for %s", conn_id)
            return there

    connect(host=f"http://127.0.0.1:{closed_port}", kind=Own).get_account()
    assert len(raw_server.received) == 1
