"""A download takes its name when it is whole, and leaves nothing behind otherwise."""

import os
import resource
import stat
import threading

import pytest

from dbtcloud.client.downloads.atomic_download import AtomicDownload, LocalDestination
from dbtcloud.client.errors import ArtifactError
from folders import files


def land(path, *chunks):
    with AtomicDownload(LocalDestination(path), "Artifact 'a' of run 7") as artifact:
        artifact.begin()
        for chunk in chunks:
            artifact.write(chunk)
        artifact.end()


@pytest.fixture
def full_disk():
    """A file system on which no file can grow beyond 64 KiB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_name_is_taken_at_the_end_only(tmp_path):
    target = tmp_path / "there"
    target.write_bytes(b"earlier")
    with AtomicDownload(LocalDestination(target)) as artifact:
        artifact.begin()
        artifact.write(b"new")
        assert target.read_bytes() == b"earlier"
        assert len(files(tmp_path)) == 2
        artifact.end()
        assert target.read_bytes() == b"new"
    assert files(tmp_path) == {"there": b"new"}


def test_an_attempt_anew_begins_anew(tmp_path):
    with AtomicDownload(LocalDestination(tmp_path / "there")) as artifact:
        artifact.begin()
        artifact.write(b"lost")
        artifact.begin()
        artifact.write(b"kept")
        artifact.end()
    assert files(tmp_path) == {"there": b"kept"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_leaving_early_in_any_way_leaves_what_was_there(tmp_path, error):
    (tmp_path / "there").write_bytes(b"earlier")

    def leave_early():
        with AtomicDownload(LocalDestination(tmp_path / "there")) as artifact:
            artifact.begin()
            artifact.write(b"x" * 100_000)
            raise error

    with pytest.raises(error):
        leave_early()
    assert files(tmp_path) == {"there": b"earlier"}


@pytest.mark.parametrize("size", [100_000, 65_537])
def test_a_full_disk_leaves_the_earlier_file_and_says_what_to_do(tmp_path, full_disk, size):
    (tmp_path / "there").write_bytes(b"earlier")
    told = (
        rf"Artifact 'a' of run 7 could not be written to {tmp_path}/there; nothing was changed there\. "
        r"File too large\. Free some space there, or write to another destination\."
    )
    with pytest.raises(ArtifactError, match=told) as raised:
        land(tmp_path / "there", b"x" * size)
    assert isinstance(raised.value.__cause__, OSError)
    assert files(tmp_path) == {"there": b"earlier"}


@pytest.mark.parametrize("name", ["folder", "pipe", "link", "a\0b", "x" * 300, "file/below"])
def test_what_can_be_no_file_is_told_and_stays(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "file").write_bytes(b"earlier")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ArtifactError, match="could not be written to"):
        land(tmp_path / name, b"x")
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "pipe").is_fifo()


def test_a_symbolic_link_is_followed_and_kept(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere/file")
    land(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert files(tmp_path / "elsewhere") == {"file": b"new"}


def test_the_longest_name_that_there_can_be_is_written(tmp_path):
    name = "x" * 255
    land(tmp_path / name, b"new")
    assert files(tmp_path) == {name: b"new"}


def test_missing_folders_are_made_and_others_may_read_the_file(tmp_path):
    before = os.umask(0o022)
    try:
        land(tmp_path / "a/b/there", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a/b/there").stat().st_mode) == 0o644


def test_what_was_left_takes_nothing_more(tmp_path):
    artifact = AtomicDownload(LocalDestination(tmp_path / "there"))
    artifact.begin()
    artifact.__exit__()
    for late in (artifact.begin, lambda: artifact.write(b"x"), artifact.end):
        with pytest.raises(ArtifactError, match="The download was aborted"):
            late()
    assert files(tmp_path) == {}


def test_leaving_waits_for_a_beginning_in_another_thread(tmp_path):
    begun, go_on = threading.Event(), threading.Event()

    class Slow(LocalDestination):
        def open(self):
            begun.set()
            go_on.wait()
            return super().open()

    artifact = AtomicDownload(Slow(tmp_path / "there"))
    beginning = threading.Thread(target=artifact.begin)
    beginning.start()
    begun.wait()
    leaving = threading.Thread(target=artifact.__exit__)
    leaving.start()
    go_on.set()
    beginning.join()
    leaving.join()
    assert files(tmp_path) == {}
