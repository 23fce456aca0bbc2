"""Webhooks of dbt Cloud, checked and read in a web application."""

import hashlib
import hmac
import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from dbtcloud import AsyncDbtCloudClient, DbtCloudClient
from dbtcloud.errors import InvalidArgument, InvalidSignature, MalformedResponse
from dbtcloud.webhooks import verify

SECRET = "12345abcde-of-the-subscription"
COMPLETED = {
    "accountId": 1,
    "webhookId": "wsu_12345abcde",
    "eventId": "wev_2L6ZDoilyiWzKkSA59Gmc2d7FDD",
    "timestamp": "2023-01-31T19:29:35.789265936Z",
    "eventType": "job.run.completed",
    "webhookName": "test",
    "data": {
        "jobId": "123",
        "jobName": "Daily Job (dbt build)",
        "runId": "70403110257794",
        "environmentId": "1234",
        "environmentName": "Production",
        "dbtVersion": "1.0.0",
        "projectName": "Snowflake Github Demo",
        "projectId": "167194",
        "runStatus": "Success",
        "runStatusCode": 10,
        "runStatusMessage": "None",
        "runReason": "Kicked off from the UI by test@test.com",
        "runStartedAt": "2023-01-31T19:28:07Z",
        "runFinishedAt": "2023-01-31T19:29:32Z",
    },
}
BODY = json.dumps(COMPLETED).encode()


def signature(body, secret=SECRET):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


SIGNATURE = signature(BODY)


@pytest.mark.parametrize(
    "header",
    [
        SIGNATURE,
        SIGNATURE.upper(),
        f" {SIGNATURE}\n",
        SIGNATURE.encode(),
        {"Authorization": SIGNATURE},
        {"host": "x", "authorization": SIGNATURE},
        {"AUTHORIZATION": SIGNATURE.upper()},
    ],
)
@pytest.mark.parametrize("body", [BODY, BODY.decode(), bytearray(BODY), memoryview(BODY)])
@pytest.mark.parametrize("secret", [SECRET, SECRET.encode(), f"{SECRET}\n"])
def test_a_signed_webhook_is_read(body, header, secret):
    event = verify(body, header, secret)
    assert (event.event_type, event.run_id, event.job_id) == ("job.run.completed", 70403110257794, 123)


def test_the_fields_of_an_event():
    event = verify(BODY, SIGNATURE, SECRET)
    assert (event.status, event.status_humanized, event.is_success) == (10, "Success", True)
    assert (event.account_id, event.project_id, event.environment_id) == (1, 167194, 1234)
    assert (event.webhook_id, event.id) == ("wsu_12345abcde", "wev_2L6ZDoilyiWzKkSA59Gmc2d7FDD")
    assert event.started_at == datetime(2023, 1, 31, 19, 28, 7, tzinfo=UTC)
    assert event.finished_at == datetime(2023, 1, 31, 19, 29, 32, tzinfo=UTC)
    assert event.timestamp == datetime(2023, 1, 31, 19, 29, 35, 789265, tzinfo=UTC)
    assert event.data == event.to_dict() == COMPLETED
    assert repr(event) == "JobRunEvent(event_type='job.run.completed', run_id=70403110257794, job_id=123)"
    with pytest.raises(AttributeError):
        event.run_id = 4


def read(data, **fields):
    """The event of a signed webhook with other fields."""
    body = json.dumps({**COMPLETED, **fields, "data": data}).encode()
    return verify(body, signature(body), SECRET)


def test_an_event_of_later_years_does_no_harm():
    event = read({"runId": 5, "jobId": 6, "runStatusCode": 77, "new": [1]}, eventType="job.run.paused")
    assert (event.event_type, event.run_id, event.job_id, event.status) == ("job.run.paused", 5, 6, 77)
    assert (event.project_id, event.finished_at, event.is_success) == (None, None, False)
    odd = read({"runId": "5", "jobId": "6", "runStatusCode": "77", "projectId": {}, "runStartedAt": 4})
    assert (odd.status, odd.project_id, odd.started_at) == (None, None, None)


def test_an_error_has_the_time_of_its_end_and_older_events_another_name():
    failed = {"runId": "5", "jobId": "6", "runErroredAt": "2023-01-31T19:29:32Z"}
    event = read(failed, eventType="job.run.errored", webhookId=None, webhooksID="wsu_old")
    assert event.finished_at == datetime(2023, 1, 31, 19, 29, 32, tzinfo=UTC)
    assert event.webhook_id == "wsu_old"


@pytest.mark.parametrize(
    "header",
    [None, "", "  ", b"", {}, {"Host": "x"}, {"Authorization": ""}, {"a": SIGNATURE}, 5]
    + [{"Authorization": SIGNATURE, "authorization": SIGNATURE}],
)
def test_a_webhook_without_a_signature_is_refused(header):
    with pytest.raises(InvalidSignature, match="has no signature"):
        verify(BODY, header, SECRET)


def test_a_text_that_no_bytes_can_be_is_refused():
    with pytest.raises(InvalidSignature):
        verify("\ud800", "0" * 64, "secret")


@pytest.mark.parametrize(
    "header",
    [SIGNATURE[:-1], SIGNATURE + "0", "0" * 64, "é" * 64, f"Token {SIGNATURE}", signature(BODY, "other")],
)
def test_another_signature_is_refused(header):
    with pytest.raises(InvalidSignature, match="does not fit") as caught:
        verify(BODY, header, SECRET)
    assert SECRET not in str(caught.value)
    assert SIGNATURE not in str(caught.value)


def test_a_changed_body_is_refused():
    with pytest.raises(InvalidSignature):
        verify(BODY.replace(b"Success", b"success"), SIGNATURE, SECRET)


@pytest.mark.parametrize("secret", ["", " \n", b"", None, 5])
def test_nobody_signs_with_an_empty_secret(secret):
    with pytest.raises(InvalidArgument, match="no secret"):
        verify(BODY, signature(BODY, ""), secret)


@pytest.mark.parametrize("body", [COMPLETED, None, 5])
def test_a_parsed_body_is_refused_with_what_to_give(body):
    with pytest.raises(InvalidArgument, match=r"request\.body"):
        verify(body, SIGNATURE, SECRET)


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"[]", b"null", b"{}", b'{"eventType": "x", "data": {"runId": "x"}}', b"\xff"]
)
def test_what_is_signed_and_no_event(body):
    with pytest.raises(MalformedResponse):
        verify(body, signature(body), SECRET)


@pytest.mark.parametrize("kind", [DbtCloudClient, AsyncDbtCloudClient])
def test_both_clients_have_the_same_function(kind):
    client = kind("dbtc_a-token-for-tests", 1, "http://127.0.0.1:1")
    assert client.webhooks.verify is verify


def test_it_needs_no_http_library():
    code = "import sys, dbtcloud.webhooks; print({'requests', 'aiohttp', 'asyncio'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
