"""A failed run is retried where dbt Cloud can do that, and the error says why where it cannot."""

import pytest

from dbtcloud.client.errors import NotRetryable
from dbtcloud.client.models import _REFUSALS, Run
from dbtcloud.client.run_start import retry_failed_run
from dbtcloud.client.transport.sync_client import SyncClient


@pytest.fixture
def retry(dbt_cloud, access, jobs):
    with SyncClient(access(dbt_cloud.url, token=dbt_cloud.token)) as client:
        yield lambda run_id: client.ask(retry_failed_run(1, run_id))


def test_a_failed_run_is_retried_by_its_id(retry, jobs):
    failed = jobs.started(jobs.failing)
    jobs.control.advance(1)
    run = retry(failed)
    assert run.data["retrying_run_id"] == failed
    assert len(jobs.asked("POST", f"/runs/{failed}/retry/")) == 1


@pytest.mark.parametrize(
    ("job", "why"),
    [
        ("endless", "It is running"),
        ("instant", "It ended with Success"),
        ("cancelled", "ended with Cancelled"),
    ],
)
def test_a_run_that_did_not_fail_is_not_retried(retry, jobs, job, why):
    run = jobs.started(getattr(jobs, job))
    jobs.control.advance(1)
    with pytest.raises(
        NotRetryable, match=f"Run {run} cannot be retried from its point of failure.*{why}"
    ) as caught:
        retry(run)
    assert (caught.value.run_id, caught.value.reason) == (run, "RETRY_NOT_FAILED_RUN")
    assert jobs.asked("POST", "/retry/") == []


def test_a_run_whose_job_was_started_since_is_not_retried(retry, jobs):
    failed = jobs.started(jobs.failing)
    jobs.control.advance(1)
    jobs.started(jobs.failing)
    with pytest.raises(NotRetryable, match="started again since") as caught:
        retry(failed)
    assert caught.value.reason == "RETRY_NOT_LATEST_RUN"


def test_a_refusal_after_all_is_told_with_its_reason(retry, jobs):
    failed = jobs.started(jobs.failing)
    jobs.control.advance(1)
    refused = '{"status": {"code": 400}, "data": {"reason": "RETRY_NO_RUN_RESULTS"}}'
    jobs.control.add_fault("status", status=400, body=refused, route="*/retry/", method="POST")
    with pytest.raises(NotRetryable, match=r"no run_results\.json") as caught:
        retry(failed)
    assert caught.value.reason == "RETRY_NO_RUN_RESULTS"


@pytest.mark.parametrize("code", [*_REFUSALS, "RETRY_OF_THE_FUTURE", None])
def test_every_reason_makes_a_sentence(code):
    error = Run(7, 20, data={"can_retry": False, "retry_not_supported_reason": code}).retry_refusal()
    assert str(error).startswith("Run 7 cannot be retried from its point of failure. ")
    assert _REFUSALS.get(code, code or "says so")[5:] in str(error)


@pytest.mark.parametrize("said", [{}, {"can_retry": None}, {"can_retry": True}])
def test_where_dbt_cloud_does_not_say_no_it_is_asked(said):
    assert Run(7, 20, data=said).retry_refusal() is None


def test_a_chain_of_retries_is_followed_to_its_end():
    first, *rest = (Run(i, 20, data={"retrying_run_id": of}) for i, of in [(1, None), (4, 3), (3, 1), (9, 8)])
    assert first.last_retry(rest).id == 4
    assert first.last_retry([]).id == 1


def test_a_chain_that_leads_back_to_itself_ends():
    first = Run(1, 20, data={"retrying_run_id": 2})
    assert first.last_retry([first, Run(2, 20, data={"retrying_run_id": 1})]).id == 1
