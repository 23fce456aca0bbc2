"""Where a target leads: paths, URLs, and object stores with their connections."""

import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io import store
from fsspec.implementations.memory import MemoryFileSystem

from airflow_dbt_cloud.hooks.downloads.storage import join_target, resolve_destination
from dbtcloud.client.downloads.atomic_download import AtomicDownload
from dbtcloud.client.errors import ArtifactError


class Faulty(MemoryFileSystem):
    """A store that refuses some of what is asked of it."""

    store, pseudo_dirs = {}, [""]
    refuses = ()

    def cp_file(self, path1, path2, **kwargs):
        self._check("copy")
        super().cp_file(path1, path2, **kwargs)

    def rm_file(self, path):
        self._check("remove")
        super().rm_file(path)

    def _open(self, path, mode="rb", **kwargs):
        if mode == "wb" and "folders" in self.refuses and self._parent(path) not in self.pseudo_dirs:
            raise FileNotFoundError(path)
        return super()._open(path, mode, **kwargs)

    def _check(self, what):
        if what in self.refuses:
            raise RuntimeError(f"The store does not {what}")


class Moving(Faulty):
    """A store that has a move of its own, and no copy."""

    refuses = ("copy",)

    def mv(self, path1, path2, **kwargs):
        self.store[path2] = self.store.pop(path1)


@pytest.fixture
def faulty(monkeypatch):
    fs = Faulty(skip_instance_cache=True)
    monkeypatch.setattr(Faulty, "store", {})
    monkeypatch.setattr(Faulty, "pseudo_dirs", [""])
    monkeypatch.setattr(store, "_STORE_CACHE", {})
    store.attach("memory", fs=fs)
    return fs


def land(target, content=b"new"):
    with AtomicDownload(resolve_destination(target)) as landing:
        landing.begin()
        landing.write(content)
        landing.begin()
        landing.write(content)
        landing.end()
    return str(landing.destination)


def kept(fs):
    return {name: file.getvalue() for name, file in fs.store.items()}


def test_a_plain_path_is_this_machines(tmp_path):
    assert join_target(None, str(tmp_path)) == str(tmp_path)
    assert (
        land(tmp_path / "a")
        == land(str(tmp_path / "a"))
        == land(f"file://{tmp_path}/a")
        == str(tmp_path / "a")
    )
    assert (tmp_path / "a").read_bytes() == b"new"


def test_what_lands_in_a_store_is_whole_and_alone(faulty):
    assert land("memory://bucket/runs/a") == "memory://bucket/runs/a"
    assert land(ObjectStoragePath("memory://bucket/runs/a"), b"newer") == "memory://bucket/runs/a"
    assert kept(faulty) == {"/bucket/runs/a": b"newer"}


def test_the_url_that_is_told_leads_there_with_its_connection(faulty):
    store.attach("memory", conn_id="lake", fs=faulty)
    targets = [
        join_target("memory://bucket/runs", "a", "lake"),
        join_target("memory://lake@bucket/runs", "a"),
        join_target(ObjectStoragePath("memory://bucket/runs", conn_id="lake"), "a"),
        join_target(None, "memory://bucket/runs/a", "lake"),
        "memory://lake@bucket/runs/a",
    ]
    for target in targets:
        assert land(target) == "memory://lake@bucket/runs/a"
    assert ObjectStoragePath(land(targets[0])).read_bytes() == b"new"
    assert kept(faulty) == {"/bucket/runs/a": b"new"}


def test_a_path_by_itself_stays_as_it_is():
    assert join_target(None, "a/b") == "a/b"
    assert str(join_target("a", "b/c")) == "a/b/c"


def test_folders_are_made_where_a_store_has_them(faulty):
    faulty.refuses = ("folders",)
    land("memory://bucket/runs/a")
    assert kept(faulty) == {"/bucket/runs/a": b"new"}


def test_a_store_that_refuses_the_name_keeps_what_it_had(faulty):
    land("memory://bucket/a", b"earlier")
    faulty.refuses = ("copy",)
    with pytest.raises(ArtifactError, match=r"written to memory://bucket/a.*The store does not copy\. Check"):
        land("memory://bucket/a")
    assert kept(faulty) == {"/bucket/a": b"earlier"}


def test_a_store_that_does_not_remove_does_not_hide_what_went_wrong(faulty, caplog):
    faulty.refuses = ("copy", "remove")
    with pytest.raises(ArtifactError, match="The store does not copy"):
        land("memory://bucket/a")
    assert (
        "Could not remove a temporary file beside memory://bucket/a: The store does not remove" in caplog.text
    )


def test_what_has_landed_has_though_the_store_removes_nothing(faulty, caplog):
    faulty.refuses = ("remove",)
    land("memory://bucket/a")
    assert kept(faulty)["/bucket/a"] == b"new"
    assert "Could not remove a temporary file beside memory://bucket/a" in caplog.text


def test_a_store_that_moves_is_let_move(faulty):
    fs = Moving(skip_instance_cache=True)
    store.attach("memory", fs=fs)
    land("memory://bucket/a")
    assert kept(fs) == {"/bucket/a": b"new"}


@pytest.mark.parametrize("name", ["runs[1]", "q?", "all*", "ds=2026-01-01T00:00:00+00:00"])
def test_a_name_is_never_taken_for_a_pattern(faulty, name):
    land(f"memory://bucket/{name}/a")
    assert kept(faulty) == {f"/bucket/{name}/a": b"new"}


def test_a_store_that_airflow_does_not_know_is_told_with_what_brings_it():
    with pytest.raises(
        ArtifactError, match=r"written to s3://bucket/a\. .*Install apache-airflow-providers-amazon"
    ):
        resolve_destination("s3://bucket/a")
    with pytest.raises(ArtifactError, match="Check URL and connection"):
        resolve_destination("nothing://bucket/a")
