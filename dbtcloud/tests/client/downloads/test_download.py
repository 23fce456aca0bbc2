"""Artifacts arrive piece by piece, whole or not at all, and are waited for while their run is fresh."""

import gzip
import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from dbtcloud.client import endpoints
from dbtcloud.client.downloads import download
from dbtcloud.client.downloads.atomic_download import AtomicDownload, LocalDestination
from dbtcloud.client.errors import (
    ArtifactError,
    ArtifactMissing,
    Forbidden,
    MalformedResponse,
    NotFound,
    RateLimited,
    ServerError,
    TransportError,
)
from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.transport.sync_client import SyncClient, run_call
from folders import files
from wires.raw import answer, chunked, envelope, refusal, unframed

BINARY = os.urandom(3_000_000)
ENDED = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
RUN = envelope({"id": 7, "status": 10, "finished_at": ENDED.isoformat(sep=" ")})
PATH = "/api/v2/accounts/1/runs/7/artifacts"


@pytest.fixture
def fetch(engine, access, raw_server, tmp_path):
    """Fetches an artifact into the file `there`; the run has ended long ago unless `clock` says otherwise."""

    def run(path="telemetry.parquet", clock=lambda: ENDED + timedelta(hours=1), **options):
        with AtomicDownload(LocalDestination(tmp_path / "there"), is_json=path.endswith(".json")) as artifact:
            engine.ask(
                access(raw_server.url), download.fetch_artifact(1, 7, path, artifact, clock=clock, **options)
            )
        return (tmp_path / "there").read_bytes()

    return run


@pytest.mark.parametrize(
    "reply",
    [
        answer(BINARY, headers={"Content-Type": "application/x-parquet"}),
        answer(gzip.compress(BINARY), headers={"Content-Encoding": "gzip"}),
        chunked(BINARY),
    ],
    ids=["plain", "gzip", "chunked"],
)
def test_the_bytes_are_those_that_dbt_cloud_stores(fetch, raw_server, tmp_path, reply):
    raw_server.reply = reply
    assert fetch(step=2) == BINARY
    assert [each.target for each in raw_server.received] == [f"{PATH}/telemetry.parquet?step=2"]
    assert list(files(tmp_path)) == ["there"]


def test_comments_that_no_web_page_follows_take_no_time(fetch, raw_server):
    # Going through every way to group them would take ages, and would block all other threads.
    body = b"<!---->" * 100 + b"select 1"
    raw_server.reply = answer(body)
    assert fetch("compiled/shop/a.sql") == body


NO_ARTIFACT = {
    "login page": answer(b"<p>Log in</p>", headers={"Content-Type": "text/html; charset=utf-8"}),
    "unnamed login page": answer(
        b"\n<!-- x -->\n<!DOCTYPE html><p>Log in", headers={"Content-Type": "text/plain"}
    ),
    "login page in XHTML": answer(
        b'<?xml version="1.0"?>\n<!DOCTYPE html><p>Log in</p>', headers={"Content-Type": "text/plain"}
    ),
    "error message": answer(envelope(None, code=404, is_success=False)),
    "error message in another order": answer(b'{"data": null, "status": {"is_success": false, "code": 404}}'),
    "empty": answer(b""),
    "empty gzip": answer(gzip.compress(b""), headers={"Content-Encoding": "gzip"}),
    "without an end": unframed(b"select 1 as half"),
    "HTTP/1.0": unframed(b"select 1 as half").replace(b"HTTP/1.1", b"HTTP/1.0"),
}


@pytest.mark.parametrize("status", [201, 202, 203, 204, 205, 206, 226])
@pytest.mark.parametrize("path", ["manifest.json", "compiled/shop/a.sql"])
def test_only_a_200_is_a_file(fetch, raw_server, tmp_path, status, path):
    raw_server.reply = answer(b"" if status in {204, 205} else b'{"of": "today"}', status)
    (tmp_path / "there").write_bytes(b"yesterday")
    with pytest.raises(
        MalformedResponse, match=rf"answered {status} to GET .*Only a 200 holds the whole file"
    ):
        fetch(path)
    assert files(tmp_path) == {"there": b"yesterday"}
    assert len(raw_server.received) == 4


@pytest.mark.parametrize("case", NO_ARTIFACT)
def test_what_is_no_artifact_is_asked_for_again_and_never_stored(fetch, raw_server, tmp_path, case):
    (tmp_path / "there").write_bytes(b"yesterday")
    raw_server.reply = NO_ARTIFACT[case]
    with pytest.raises(MalformedResponse):
        fetch("compiled/shop/a.sql")
    assert files(tmp_path) == {"there": b"yesterday"}
    raw_server.replies(NO_ARTIFACT[case], answer(b"select 1"))
    assert fetch("compiled/shop/a.sql") == b"select 1"


@pytest.mark.parametrize("reply", [*NO_ARTIFACT.values(), answer(b"{}", 206), unframed(b'{"half": {}')])
def test_what_is_read_into_memory_is_the_artifact_too(engine, access, raw_server, reply):
    raw_server.reply = reply
    with pytest.raises(MalformedResponse):
        engine.ask(access(raw_server.url), endpoints.get_artifact(1, 7, "run_results.json"), retry=NO_RETRY)


def test_an_artifact_that_is_too_large_is_given_up_at_once(engine, access, raw_server, tmp_path):
    raw_server.reply = answer(b"x" * 2_000_000)
    credentials = access(raw_server.url, max_artifact_mib=1)
    with (
        AtomicDownload(LocalDestination(tmp_path / "there")) as artifact,
        pytest.raises(ArtifactError, match=r"more than 1 MiB.*raise the setting 'max_artifact_mib'"),
    ):
        engine.ask(credentials, endpoints.download_artifact(1, 7, "a.sql", artifact))
    with pytest.raises(ArtifactError, match="more than 1 MiB"):
        engine.ask(credentials, endpoints.get_artifact(1, 7, "a.sql"))
    assert files(tmp_path) == {}
    assert len(raw_server.received) == 2


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}])
def test_a_json_answer_that_is_too_large_is_unreadable(engine, access, raw_server, headers):
    body = json.dumps(envelope({"id": 7, "status": 10, "x": "y" * 2_000_000})).encode()
    raw_server.reply = answer(gzip.compress(body) if headers else body, headers=headers)
    with pytest.raises(MalformedResponse, match=r"more than 1 MiB.*raise the setting 'max_json_mib'"):
        engine.ask(access(raw_server.url, max_json_mib=1), endpoints.get_run(1, 7), retry=NO_RETRY)


def test_an_error_counts_however_large_it_is(engine, access, raw_server):
    raw_server.reply = answer(b"x" * 2_000_000, 404)
    with pytest.raises(NotFound):
        engine.ask(access(raw_server.url, max_json_mib=1), endpoints.get_run(1, 7), retry=NO_RETRY)


FAULTS = {
    "cut": answer(BINARY, cut=100),
    "cut gzip": answer(gzip.compress(BINARY), headers={"Content-Encoding": "gzip"}, cut=100),
    "no gzip": answer(BINARY, headers={"Content-Encoding": "gzip"}),
    "cut chunks": chunked(BINARY, ended=False),
    "reset": None,
    "server error": refusal(503, "Later"),
    "rate limit": answer(envelope(None), 429, {"Retry-After": "0"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_passes_is_lived_through_and_the_file_is_whole(fetch, raw_server, tmp_path, fault):
    raw_server.replies(FAULTS[fault], FAULTS[fault], answer(BINARY))
    assert fetch() == BINARY
    assert len(raw_server.received) >= 3
    assert list(files(tmp_path)) == ["there"]


@pytest.mark.parametrize("fault", FAULTS)
def test_what_stays_leaves_the_earlier_file_and_nothing_else(fetch, raw_server, tmp_path, fault):
    (tmp_path / "there").write_bytes(b"earlier")
    raw_server.reply = FAULTS[fault]
    with pytest.raises((TransportError, ServerError, RateLimited)) as raised:
        fetch()
    assert raised.value.retryable
    assert files(tmp_path) == {"there": b"earlier"}


def test_a_cut_artifact_says_that_it_broke_off(fetch, raw_server):
    raw_server.reply = answer(BINARY, cut=100)
    with pytest.raises(
        TransportError, match=r"The answer from http://127.0.0.1:\d+ was interrupted\. .+\. Check the"
    ):
        fetch()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b'{"nodes": {"a"', "is incomplete"),
        (b'{"nodes": []', "is incomplete"),
        (b"Not here", "does not begin with"),
        (b" \n", "is empty"),
    ],
)
def test_a_json_artifact_that_is_none_is_refused(fetch, raw_server, tmp_path, body, why):
    (tmp_path / "there").write_bytes(b"earlier")
    raw_server.reply = answer(body)
    with pytest.raises(MalformedResponse, match=f"is not (JSON|the artifact).*{why}"):
        fetch("manifest.json")
    assert files(tmp_path) == {"there": b"earlier"}


@pytest.mark.parametrize("body", [b'\n{"a": 1}\r\n', b"[]", b"{}" + b" " * 1000])
def test_a_json_artifact_is_written_as_it_came(fetch, raw_server, body):
    raw_server.reply = answer(body)
    assert fetch("manifest.json") == body


@pytest.mark.parametrize("path", ["index.html", "docs/Static_Index.HTML"])
def test_a_web_page_that_was_asked_for_is_stored(fetch, raw_server, path):
    raw_server.reply = answer(b"<html>", headers={"Content-Type": "text/html"})
    assert fetch(path) == b"<html>"


def dbt_cloud(artifacts, run=RUN, names=()):
    """Replies by what is asked for; each artifact answers with the next of its replies."""

    def reply(request):
        place = request.target.partition("?")[0]
        if place == "/api/v2/accounts/1/runs/7/":
            return answer(run) if isinstance(run, dict) else run
        if place == f"{PATH}/":
            return answer(envelope(list(names)))
        left = artifacts[place.removeprefix(f"{PATH}/")]
        return left.pop(0) if len(left) > 1 else left[0]

    return reply


GONE = refusal(404, "The requested resource was not found.")


def carried_out(raw_server, access, call, clock):
    """Carry out a call with a clock that only its pauses move; the pauses."""
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        clock[0] += timedelta(seconds=seconds)

    with SyncClient(access(raw_server.url)) as client:
        run_call(call, client.send, sleep=sleep)
    return pauses


def test_what_is_not_there_yet_is_asked_for_again_while_the_run_is_fresh(raw_server, access, tmp_path):
    raw_server.reply = dbt_cloud({"catalog.json": [GONE, GONE, GONE, answer(b"{}")]})
    clock = [ENDED + timedelta(seconds=5)]
    with AtomicDownload(LocalDestination(tmp_path / "there")) as artifact:
        call = download.fetch_artifact(1, 7, "catalog.json", artifact, clock=lambda: clock[0])
        assert carried_out(raw_server, access, call, clock) == [0.5, 1.0, 2.0]
    assert (tmp_path / "there").read_bytes() == b"{}"


@pytest.mark.parametrize(("age", "waited"), [(0, 60), (50, 10), (61, 0), (-3600, 60)])
def test_the_wait_ends_a_minute_after_the_run_whatever_the_clock_says(
    raw_server, access, tmp_path, age, waited
):
    names = ["manifest.json", "run_results.json"]
    raw_server.reply = dbt_cloud({"catalog.json": [GONE]}, names=names)
    clock = [ENDED + timedelta(seconds=age)]
    artifact = AtomicDownload(LocalDestination(tmp_path / "there"))
    call = download.fetch_artifact(1, 7, "catalog.json", artifact, clock=lambda: clock[0])
    with pytest.raises(ArtifactMissing, match=r"It has manifest\.json, run_results\.json"):
        carried_out(raw_server, access, call, clock)
    assert (clock[0] - ENDED).total_seconds() == age + waited
    assert files(tmp_path) == {}


def test_a_run_that_has_not_ended_is_said_to_go_on(fetch, raw_server):
    raw_server.reply = dbt_cloud({"catalog.json": [GONE]}, run=envelope({"id": 7, "status": 3}))
    with pytest.raises(
        ArtifactMissing, match=r"Run 7 has no artifact 'catalog\.json'\. The run has not ended yet"
    ):
        fetch("catalog.json")


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (
            {"status": 30, "status_message": "Cancelled by user."},
            "The run was cancelled, .*Cancelled by user",
        ),
        ({"status": 30, "status_message": None}, "The run was cancelled, and may have ended before"),
        ({"status": 20, "status_message": "dbt ran out of memory"}, "The run failed, .*ran out of memory"),
    ],
)
@pytest.mark.parametrize("step", [None, 2])
def test_the_end_of_a_run_that_did_not_succeed_is_given(fetch, raw_server, run, said, step):
    raw_server.reply = dbt_cloud({"catalog.json": [GONE]}, run=envelope({"id": 7, **run}))
    with pytest.raises(ArtifactMissing, match=rf"no artifact 'catalog\.json'\. {said}") as raised:
        fetch("catalog.json", step=step)
    assert ("Step 2 did not write it" in str(raised.value)) == (step == 2)


def test_a_step_that_lacks_it_is_named(fetch, raw_server):
    raw_server.reply = dbt_cloud({"catalog.json": [GONE]}, names=["catalog.json"])
    with pytest.raises(ArtifactMissing, match="Step 2 did not write it") as raised:
        fetch("catalog.json", step=2)
    assert isinstance(raised.value.__cause__, NotFound)


def test_a_run_that_does_not_exist_is_told_as_such(fetch, raw_server):
    raw_server.reply = dbt_cloud({"catalog.json": [GONE]}, run=GONE)
    with pytest.raises(NotFound, match=r"answered 404 to GET /api/v2/accounts/1/runs/7/\."):
        fetch("catalog.json")


def test_the_error_does_without_the_list_where_that_cannot_be_read(fetch, raw_server):
    usual = dbt_cloud({"catalog.json": [GONE]})
    raw_server.reply = lambda each: refusal(500, "No") if each.target.endswith("artifacts/") else usual(each)
    with pytest.raises(ArtifactMissing, match=r"Run 7 has no artifact 'catalog\.json'"):
        fetch("catalog.json")


def test_what_is_forbidden_is_not_taken_for_missing(fetch, raw_server):
    raw_server.reply = refusal(403, "No")
    with pytest.raises(Forbidden):
        fetch("catalog.json")
    assert len(raw_server.received) == 1


def test_what_cannot_be_written_is_not_asked_for_again(fetch, raw_server, tmp_path):
    (tmp_path / "there").mkdir()
    raw_server.reply = answer(json.dumps({}))
    with pytest.raises(ArtifactError, match="The path exists and is not a file"):
        fetch()
    assert len(raw_server.received) == 1
