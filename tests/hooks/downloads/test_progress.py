"""The log is told now and then, and threads learn when to stop."""

import pytest

from airflow_dbt_cloud.hooks.downloads import progress as progress_module
from airflow_dbt_cloud.hooks.downloads.progress import DownloadProgress
from dbtcloud.client.errors import ArtifactError


class Log:
    def __init__(self):
        self.lines = []

    def info(self, template, *values):
        self.lines.append(template % values)


def test_a_line_tells_artifacts_and_bytes(monkeypatch):
    monkeypatch.setattr(progress_module, "LOG_INTERVAL", 0.0)
    log = Log()
    progress = DownloadProgress(7, 1200, log)
    progress.add_bytes(3 * 1024 * 1024)
    progress.add_artifact()
    progress.add_bytes(1024 * 1024)
    assert log.lines == [
        "Fetched 0 of 1,200 artifacts of run 7, 3.0 MiB so far.",
        "Fetched 1 of 1,200 artifacts of run 7, 4.0 MiB so far.",
    ]


def test_what_comes_quickly_is_not_worth_a_line():
    log = Log()
    progress = DownloadProgress(7, 1, log)
    for _ in range(100):
        progress.add_bytes(1)
    assert log.lines == []


def test_after_a_stop_nothing_more_is_taken():
    progress = DownloadProgress(7, 1, Log())
    progress.stop()
    with pytest.raises(ArtifactError, match="given up"):
        progress.add_bytes(1)
