"""The artifacts of finished runs stay below a limit."""

import pytest

from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.orchestration.artifact_retention import ArtifactRetention


@pytest.fixture
def runs(tmp_path):
    for run_id in range(1, 6):
        folder = tmp_path / str(run_id) / "target"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_bytes(b" " * 100)
    return tmp_path


def there(folder):
    return sorted(path.name for path in folder.iterdir())


async def test_the_artifacts_of_the_oldest_runs_are_deleted_first(runs):
    await ArtifactRetention(runs, 250).delete_old([])
    assert there(runs) == ["4", "5"]


async def test_the_artifacts_of_active_runs_stay_and_do_not_count(runs):
    await ArtifactRetention(runs, 250).delete_old([1, 5])
    assert there(runs) == ["1", "3", "4", "5"]


async def test_the_artifacts_of_the_newest_run_always_stay(runs):
    await ArtifactRetention(runs, 0).delete_old([])
    assert there(runs) == ["5"]


async def test_nothing_is_deleted_below_the_limit(runs):
    await ArtifactRetention(runs, 500).delete_old([])
    assert len(there(runs)) == 5


@pytest.mark.parametrize(
    ("text", "bytes_"), [("7", 7), ("500MB", 500 * 1024**2), ("1.5 GiB", 3 * 1024**3 // 2)]
)
def test_sizes_are_read(text, bytes_):
    assert ArtifactRetention.parse_size(text) == bytes_


def test_a_text_that_is_not_a_size_is_an_error():
    with pytest.raises(LocalServerError, match=r"'plenty' is not a size.*2GB"):
        ArtifactRetention.parse_size("plenty")


async def test_an_unfinished_deletion_of_a_killed_server_is_completed(runs):
    (runs / "1").rename(runs / "1.deleting")
    await ArtifactRetention(runs, 500).delete_old([])
    assert there(runs) == ["2", "3", "4", "5"]
