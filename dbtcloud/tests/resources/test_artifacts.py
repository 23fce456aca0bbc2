"""Artifacts: listed, read, and written to files completely or not at all."""

import asyncio
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbtcloud import AsyncDbtCloudClient, DbtCloudClient
from dbtcloud.errors import (
    ArtifactError,
    ArtifactMissing,
    BadRequest,
    InvalidArgument,
    MalformedResponse,
    NotFound,
)
from folders import files
from wires.raw import answer, envelope, refusal

LIST = "/api/v2/accounts/1/runs/7/artifacts/"
NAMES = [
    "manifest.json",
    "run_results.json",
    "compiled/shop/models/orders.sql",
    "compiled/shop/tests/orders.sql",
    "run/shop/models/orders.sql",
]
OLD = "2026-01-02 03:04:05.000006+00:00"
JSON = b'{"nodes": {}}'


def run(finished_at=OLD, **fields):
    return answer(envelope({"id": 7, "status": 10, "finished_at": finished_at, **fields}))


@pytest.fixture
def run_7(raw_server):
    """A run with artifacts, as a mapping of their bytes by name; what is missing there is answered 404."""
    artifacts = {name: JSON if name.endswith(".json") else b"select 1" for name in NAMES}

    def reply(request):
        path = request.target.split("?")[0]
        if path == LIST:
            return answer(envelope(list(artifacts)))
        if not path.startswith(LIST):
            return run()
        found = artifacts.get(path.removeprefix(LIST))
        return refusal(404, "Not found") if found is None else answer(found)

    raw_server.reply = reply
    return artifacts


@pytest.fixture
def download(face, raw_server, run_7, tmp_path):
    """Downloads artifacts of the run, by default into a folder `to`, and returns where below it they are."""

    def fetch(wanted, to="to/", **options):
        target = f"{tmp_path}/{to}"
        found = face.ask(raw_server, lambda client: client.artifacts.download(7, wanted, target, **options))
        assert all(isinstance(path, Path) for path in found)
        return [str(path.relative_to(tmp_path)) for path in found]

    return fetch


def test_the_list_of_artifacts(face, raw_server, run_7):
    assert face.ask(raw_server, lambda client: client.artifacts.list(7)) == NAMES
    assert face.ask(raw_server, lambda client: client.artifacts.list(7, limit=2)) == NAMES[:2]
    assert [each.target for each in raw_server.received] == [LIST, LIST]
    raw_server.reply = answer(envelope(None))
    assert face.ask(raw_server, lambda client: client.artifacts.list(7)) == []


def test_an_artifact_as_bytes_and_as_json(face, raw_server, run_7):
    run_7["manifest.json"] = b'{"n": NaN, "s": "\xc3\xa4"}'
    assert face.ask(raw_server, lambda client: client.artifacts.get(7, NAMES[2])) == b"select 1"
    parsed = face.ask(raw_server, lambda client: client.artifacts.json(7, "manifest.json", step=3))
    assert parsed["s"] == "ä"
    targets = [each.target for each in raw_server.received]
    assert targets == [f"{LIST}{NAMES[2]}", f"{LIST}manifest.json?step=3"]


@pytest.mark.parametrize("call", ["get", "json"])
def test_a_missing_artifact_is_named_with_those_that_are_there(face, raw_server, run_7, call):
    with pytest.raises(ArtifactMissing, match=r"no artifact 'manifst\.json'.*It has manifest\.json"):
        face.ask(raw_server, lambda client: getattr(client.artifacts, call)(7, "manifst.json"))


def test_what_is_no_json_is_an_error(face, raw_server, run_7):
    run_7["run_results.json"] = b"select 1"
    with pytest.raises(MalformedResponse, match=r"run_results\.json"):
        face.ask(raw_server, lambda client: client.artifacts.json(7, "run_results.json"))


@pytest.mark.parametrize("call", ["get", "download"])
def test_artifacts_of_a_fresh_run_are_waited_for(face, raw_server, tmp_path, call):
    raw_server.replies(refusal(404, "Not found"), run(datetime.now(UTC).isoformat(sep=" ")), answer(JSON))
    more = [f"{tmp_path}/it.json"] if call == "download" else []
    found = face.ask(raw_server, lambda client: getattr(client.artifacts, call)(7, "catalog.json", *more))
    assert found == {"get": JSON, "download": [tmp_path / "it.json"]}[call]


def test_the_list_of_a_fresh_run_is_waited_for(face, raw_server, tmp_path):
    fresh = run(datetime.now(UTC).isoformat(sep=" "))
    raw_server.replies(answer(envelope(None)), fresh, fresh, answer(envelope(["a.json"])), answer(JSON))
    found = face.ask(raw_server, lambda client: client.artifacts.download(7, "*.json", tmp_path))
    assert found == [tmp_path / "a.json"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.json", NAMES[:2]),
        ("**/*.sql", NAMES[2:]),
        ("compiled/**", NAMES[2:4]),
        ("compiled/*/models/order?.sql", NAMES[2:3]),
        ("**", NAMES),
    ],
)
def test_a_pattern_fills_a_folder(download, tmp_path, pattern, found):
    assert sorted(download(pattern, "new/folder")) == sorted(f"new/folder/{name}" for name in found)
    assert sorted(files(tmp_path / "new" / "folder")) == sorted(found)
    assert (tmp_path / "new" / "folder" / found[0]).read_bytes() in {JSON, b"select 1"}


def test_one_artifact_goes_to_a_file_or_into_a_folder(download, tmp_path):
    (tmp_path / "there").mkdir()
    assert download("manifest.json", "there") == ["there/manifest.json"]
    assert download(NAMES[2], "new/") == [f"new/{NAMES[2]}"]
    assert download(NAMES[2], "new/sub/a.sql") == ["new/sub/a.sql"]
    assert download("manifest.json", "new/sub/a.sql") == ["new/sub/a.sql"]
    assert (tmp_path / "new/sub/a.sql").read_bytes() == JSON


def test_a_pattern_does_not_go_to_a_file(download, raw_server, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidArgument, match=r"file' is a file, and the pattern '\*\.json' may match"):
        download("*.json", "file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["../up.json", "a/../../up.json", "/etc/up.json", "%2e%2e/up.json", "..\\up.json", "C:/up.json"]
)
def test_no_name_leads_out_of_the_folder(download, raw_server, run_7, tmp_path, name):
    run_7[name] = JSON
    with pytest.raises(ArtifactError, match="was not written"):
        download("**")
    assert list(files(tmp_path)) == []
    assert [each.target for each in raw_server.received] == [LIST]


def test_a_pattern_that_matches_nothing(download, tmp_path):
    with pytest.raises(ArtifactMissing, match=r"no artifact 'sources\*'.*It has manifest\.json"):
        download("sources*")
    assert list(files(tmp_path)) == []


def test_a_step_need_not_have_written_all_that_a_pattern_finds(download, raw_server, run_7):
    run_7["gone.json"] = None
    assert sorted(download("*.json", step=2)) == ["to/manifest.json", "to/run_results.json"]
    assert all(each.target.endswith("?step=2") for each in raw_server.received[1:])
    with pytest.raises(ArtifactMissing, match="Step 2 has written none"):
        download("gone*", step=2)
    with pytest.raises(ArtifactMissing, match="gone"):
        download("gone*")


def test_a_run_that_is_not_there(face, raw_server, tmp_path):
    raw_server.reply = refusal(404, "Not found")
    for wanted in ("*.json", "manifest.json"):
        with pytest.raises(NotFound):
            face.ask(raw_server, lambda client, it=wanted: client.artifacts.download(7, it, tmp_path))
    with pytest.raises(InvalidArgument, match="'nightly' is not a valid run id"):
        face.ask(raw_server, lambda client: client.artifacts.download("nightly", "*", tmp_path))


@pytest.mark.parametrize(
    ("path", "to", "message"),
    [(None, "target", "path_or_pattern is None"), ("*", None, "to is None"), ("*", b"x", "to is b'x'")],
)
def test_a_path_is_a_text(face, dbt_cloud, path, to, message):
    with pytest.raises(InvalidArgument, match=message):
        face.ask(dbt_cloud, lambda client: client.artifacts.download(1, path, to))
    with pytest.raises(InvalidArgument, match=r"None is not a valid artifact path\. It has to be a text"):
        face.ask(dbt_cloud, lambda client: client.artifacts.get(1, None))


def test_several_files_come_at_the_same_time(download, raw_server, run_7):
    both = threading.Barrier(2)
    reply = raw_server.reply

    def meet(request):
        if request.target.endswith(".json"):
            both.wait(10)
        return reply(request)

    raw_server.reply = meet
    assert len(download("*.json")) == 2


def test_after_a_failure_no_file_is_incomplete_and_none_follows(download, raw_server, run_7, tmp_path):
    run_7 |= {f"z{number:03}.txt": b"x" for number in range(100)}
    begun, failed, reply = threading.Event(), threading.Event(), raw_server.reply
    piece = bytes(300_000)  # more than a client reads at once

    def endless():
        yield answer(piece, headers={"Content-Length": "900000000"})
        begun.set()
        while failed.wait(10):
            yield piece

    def fail(request):
        if request.target.endswith("/manifest.json"):
            return endless()  # it is the first one, and does not end by itself
        if request.target.endswith("/run_results.json"):
            assert begun.wait(10)
            failed.set()
            return refusal(400, "Out of order")
        return reply(request)

    raw_server.reply = fail
    with pytest.raises(BadRequest, match="Out of order"):
        download("*.*")
    requested = len(raw_server.received)
    assert requested < 20
    assert all(content == b"x" for content in files(tmp_path).values())
    assert len(raw_server.received) == requested


class Interruption(BaseException):
    """What a signal raises in the main thread, as Ctrl-C does."""


def test_an_interrupted_download_ends_and_leaves_nothing(raw_server, run_7, tmp_path):
    both, piece, reply = threading.Barrier(2), bytes(300_000), raw_server.reply

    def interrupt(*_):
        raise Interruption

    def endless():
        yield answer(piece, headers={"Content-Length": "900000000"})
        if both.wait(10) == 0:  # the second one
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
        for _ in range(1000):
            time.sleep(0.005)
            yield piece

    raw_server.reply = lambda request: endless() if request.target.endswith(".json") else reply(request)
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with (
            DbtCloudClient("dbtc_a-token-for-tests", 1, raw_server.url) as client,
            pytest.raises(Interruption),
        ):
            client.artifacts.download(7, "*.json", tmp_path)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert list(files(tmp_path)) == []


def test_a_cancelled_download_leaves_nothing(raw_server, run_7, tmp_path):
    reply, begun = raw_server.reply, threading.Event()

    def drip():
        yield answer(bytes(200_000))[:-100_000]
        begun.set()
        while True:
            time.sleep(0.002)
            yield b"x"

    raw_server.reply = lambda request: drip() if request.target.endswith(".json") else reply(request)

    async def cancel():
        async with AsyncDbtCloudClient("dbtc_a-token-for-tests", 1, raw_server.url) as client:
            task = asyncio.create_task(client.artifacts.download(7, "*.json", tmp_path))
            await asyncio.to_thread(begun.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancel())
    assert list(files(tmp_path)) == []


def test_an_artifact_of_a_local_dbt_cloud(face, dbt_cloud, tmp_path):
    artifacts = {"manifest.json": {"nodes": {}}, "compiled/shop/a.sql": "select 1"}
    pretend = {"running": 0, "outcome": 10, "artifacts": artifacts}
    (run_id,) = dbt_cloud.control.seed(runs=[{"pretend": pretend, "age": 3600}])["runs"]
    assert sorted(face.ask(dbt_cloud, lambda client: client.artifacts.list(run_id))) == sorted(artifacts)
    parsed = face.ask(dbt_cloud, lambda client: client.artifacts.json(run_id, "manifest.json"))
    assert parsed == {"nodes": {}}
    face.ask(dbt_cloud, lambda client: client.artifacts.download(run_id, "**", tmp_path))
    assert sorted(files(tmp_path)) == sorted(artifacts)
