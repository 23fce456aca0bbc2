"""Artifacts of any size are written to where they are wanted, several at a time."""

import asyncio
import gzip
import resource
import threading
from unittest import mock

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from dbtcloud.client.errors import ArtifactError, ArtifactMissing, Forbidden, MalformedResponse
from folders import files
from wires.raw import answer, envelope, refusal

ARTIFACTS = {
    "manifest.json": '{"nodes":   {}}',
    "compiled/shop/a b.sql": "select 'ä'\r\n",
    "compiled/shop/b.sql": "select 2",
}
NAMES = [f"part-{number}.bin" for number in range(10)]


def seeded(cloud, artifacts=ARTIFACTS, age=600):
    cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {"artifacts": artifacts}}])
    return cloud.control.seed(runs=[{"job_id": 70, "age": age}])["runs"][0]


@pytest.fixture
def run_id(dbt_cloud):
    return seeded(dbt_cloud)


def download(hook, way, run_id, names, folder):
    """Write artifacts into a folder, on the worker or on an event loop."""
    if way == "worker":
        return hook.download_job_run_artifacts(run_id, names, folder)
    targets = {name: folder / name for name in names}
    return asyncio.run(hook.download_job_run_artifacts_concurrently(run_id, targets))


WAYS = pytest.mark.parametrize("way", ["worker", "loop"])


@WAYS
def test_several_artifacts_keep_their_paths_below_the_folder(hook, run_id, tmp_path, way):
    written = download(hook, way, run_id, list(ARTIFACTS), tmp_path)
    assert written == [str(tmp_path / name) for name in ARTIFACTS]
    assert files(tmp_path) == {name: text.encode() for name, text in ARTIFACTS.items()}


def test_a_connection_without_an_account_will_do_where_the_account_is_given(
    connect, dbt_cloud, run_id, tmp_path
):
    hook = connect(dbt_cloud, login=None)
    hook.download_job_run_artifacts(run_id, ["**"], tmp_path, account_id=1)
    assert len(files(tmp_path)) == len(ARTIFACTS)


@WAYS
def test_ten_artifacts_are_under_way_at_the_same_time(connect, raw_server, tmp_path, way):
    together = threading.Barrier(len(NAMES))

    def reply(request):
        together.wait(timeout=30)
        return answer(request.target.encode())

    raw_server.reply = reply
    assert len(download(connect(host=raw_server.url), way, 7, NAMES, tmp_path)) == len(NAMES)
    assert sorted(files(tmp_path)) == NAMES
    assert all(name.encode() in content for name, content in files(tmp_path).items())


@WAYS
def test_gzip_that_is_cut_is_asked_for_again_and_its_half_kept_nowhere(connect, raw_server, tmp_path, way):
    whole = gzip.compress(b'{"nodes": {}}')
    bodies = [whole[: len(whole) // 2], whole]
    raw_server.reply = lambda _: answer(bodies.pop(0), headers={"Content-Encoding": "gzip"})
    download(connect(host=raw_server.url), way, 7, ["manifest.json"], tmp_path)
    assert files(tmp_path) == {"manifest.json": b'{"nodes": {}}'}
    assert bodies == []


def test_no_more_than_ten_are_under_way(connect, raw_server, tmp_path):
    lock, going, most = threading.Lock(), 0, 0

    def reply(request):
        nonlocal going, most
        with lock:
            going += 1
            most = max(most, going)
        with lock:
            going -= 1
        return answer(b"x")

    raw_server.reply = reply
    names = [f"part-{number}.bin" for number in range(60)]
    connect(host=raw_server.url).download_job_run_artifacts(7, names, tmp_path)
    assert most <= 10
    assert raw_server.connections == 10
    assert len(raw_server.received) == 60
    assert not [each for each in threading.enumerate() if each.name.startswith("dbt-cloud-artifacts")]


@WAYS
def test_one_that_fails_ends_the_others_and_leaves_nothing_half(connect, raw_server, tmp_path, way):
    begun, known = threading.Barrier(len(NAMES)), set()

    def reply(request):
        if request.target not in known:
            known.add(request.target)
            begun.wait(timeout=30)
        return refusal(403, "No") if "part-3" in request.target else answer(b"x" * 500_000, cut=1)

    raw_server.reply = reply
    hook = connect(host=raw_server.url, options={"retry_delay": 0.001})
    with pytest.raises(DbtCloudApiException) as raised:
        download(hook, way, 7, NAMES, tmp_path)
    assert isinstance(raised.value.error, Forbidden)
    assert files(tmp_path) == {}


@WAYS
def test_a_full_disk_leaves_the_earlier_file_and_says_what_to_do(connect, raw_server, tmp_path, way):
    (tmp_path / "part-0.bin").write_bytes(b"earlier")
    raw_server.reply = answer(b"x" * 3_000_000)
    hook = connect(host=raw_server.url)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    try:
        with pytest.raises(
            DbtCloudApiException, match=r"Artifact 'part-0\.bin' of run 7 could not"
        ) as raised:
            download(hook, way, 7, ["part-0.bin"], tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert isinstance(raised.value.error, ArtifactError)
    assert "nothing was changed there. File too large. Free some space there" in str(raised.value)
    assert files(tmp_path) == {"part-0.bin": b"earlier"}
    assert len(raw_server.received) == 1


@WAYS
def test_a_web_page_in_place_of_json_is_refused(hook, dbt_cloud, run_id, tmp_path, way):
    dbt_cloud.control.add_fault("html", route="*/artifacts/*")
    with pytest.raises(DbtCloudApiException, match=r"It is a web page") as raised:
        download(hook, way, run_id, ["manifest.json"], tmp_path)
    assert isinstance(raised.value.error, MalformedResponse)
    assert files(tmp_path) == {}


@pytest.mark.parametrize("kind", ["cut", "reset", "status"])
@WAYS
def test_faults_that_pass_are_lived_through(hook, dbt_cloud, run_id, tmp_path, way, kind):
    dbt_cloud.control.add_fault(kind, route="*/artifacts/*", count=3)
    download(hook, way, run_id, ["manifest.json"], tmp_path)
    assert files(tmp_path) == {"manifest.json": ARTIFACTS["manifest.json"].encode()}
    assert dbt_cloud.control.faults()[0]["hits"] == 3


@WAYS
def test_what_is_missing_right_after_the_end_is_looked_for_again(hook, dbt_cloud, tmp_path, way):
    run_id = seeded(dbt_cloud, age=0)
    dbt_cloud.control.add_fault("status", route="*/artifacts/manifest.json", status=404, count=1)
    download(hook, way, run_id, ["manifest.json"], tmp_path)
    assert list(files(tmp_path)) == ["manifest.json"]


def test_a_list_that_is_not_whole_right_after_the_end_is_looked_at_again(connect, raw_server, tmp_path):
    run = envelope({"id": 7, "status": 10, "finished_at": "2999-01-01 00:00:00.000000+00:00"})
    lists = [answer(envelope(None)), answer(envelope(["manifest.json"]))]

    def reply(request):
        if request.target.endswith("/artifacts/"):
            return lists.pop(0)
        return answer(run if request.target.endswith("/runs/7/") else {})

    raw_server.reply = reply
    written = connect(host=raw_server.url).download_job_run_artifacts(7, ["*.json"], tmp_path)
    assert written == [str(tmp_path / "manifest.json")]


def test_a_pattern_that_a_cancelled_run_has_nothing_for_is_an_error_with_the_cancellation(
    connect, raw_server, tmp_path
):
    run = envelope({"id": 7, "status": 30, "status_message": "Cancelled by user."})
    raw_server.reply = lambda request: answer(
        envelope(["manifest.json"]) if request.target.endswith("/artifacts/") else run
    )
    with pytest.raises(DbtCloudApiException, match=r"The run was cancelled, .*Cancelled by user"):
        connect(host=raw_server.url).download_job_run_artifacts(7, ["compiled/**"], tmp_path)


def test_a_step_that_wrote_none_of_what_a_pattern_means_is_named(connect, raw_server, tmp_path):
    def reply(request):
        if request.target.partition("?")[0].endswith("/artifacts/"):
            return answer(envelope(["catalog.json"]))
        return refusal(404, "Gone")

    raw_server.reply = reply
    hook = connect(host=raw_server.url)
    with pytest.raises(
        DbtCloudApiException, match="Step 2 has written none of the artifacts that match"
    ) as raised:
        hook.download_job_run_artifacts(7, ["*.json"], tmp_path, step=2)
    assert isinstance(raised.value.error, ArtifactMissing)


def test_no_token_is_told_when_a_download_breaks_off(connect, raw_server, tmp_path, caplog):
    raw_server.reply = answer(b"x" * 1000, cut=10)
    hook = connect(host=raw_server.url, password="dbtc_secret")
    with pytest.raises(DbtCloudApiException) as raised:
        hook.download_job_run_artifact(7, "a.bin", tmp_path / "a.bin")
    assert "dbtc_secret" not in caplog.text + str(raised.value) + repr(raised.value.error)


class Answer:
    content = b"of my own"


def own_way(self, run_id, path, account_id=None, step=None):
    assert (run_id, account_id, step) == (7, None, 2)
    return Answer()


@pytest.fixture(params=["overridden", "patched on the class", "patched on the hook", "autospecced"])
def with_own_way(request, connect, raw_server, monkeypatch):
    """A hook whose `get_job_run_artifact` is replaced."""
    if request.param == "overridden":
        yield connect(
            host=raw_server.url, kind=type("Own", (DbtCloudHook,), {"get_job_run_artifact": own_way})
        )
    elif request.param == "autospecced":
        with mock.patch.object(DbtCloudHook, "get_job_run_artifact", autospec=True, side_effect=own_way):
            yield connect(host=raw_server.url)
    else:
        hook = connect(host=raw_server.url)
        on_class = request.param == "patched on the class"
        replaced = own_way if on_class else own_way.__get__(hook)
        monkeypatch.setattr(DbtCloudHook if on_class else hook, "get_job_run_artifact", replaced)
        yield hook


def test_a_replaced_verb_is_what_is_written(with_own_way, raw_server, tmp_path):
    with_own_way.download_job_run_artifact(7, "a.sql", tmp_path / "one", step=2)
    with_own_way.download_job_run_artifacts(7, ["a.sql", "b.sql"], tmp_path / "several", step=2)
    assert files(tmp_path) == dict.fromkeys(["one", "several/a.sql", "several/b.sql"], b"of my own")
    assert raw_server.received == []


def test_a_replaced_list_is_what_patterns_are_measured_by(connect, raw_server, tmp_path):
    class Own(DbtCloudHook):
        def list_job_run_artifacts(self, run_id, account_id=None, step=None):
            return [mock.Mock(json=lambda: {"data": ["mine.sql"]})]

    raw_server.reply = answer(b"x")
    connect(host=raw_server.url, kind=Own).download_job_run_artifacts(7, ["*.sql"], tmp_path)
    assert files(tmp_path) == {"mine.sql": b"x"}


def test_the_log_says_how_far_it_has_come(hook, run_id, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("airflow_dbt_cloud.hooks.downloads.progress.LOG_INTERVAL", 0.0)
    hook.download_job_run_artifacts(run_id, ["**"], tmp_path)
    told = capsys.readouterr().out
    assert f"of 3 artifacts of run {run_id}, 0.0 MiB so far." in told
    assert f"Fetched 3 of 3 artifacts of run {run_id}, 0.0 MiB, to {tmp_path} in 0." in told
