"""Which tests are for which release of Airflow."""

from importlib.metadata import version

import pytest
from packaging.version import Version

_LOWEST = Version(version("apache-airflow-core")) < Version("3.3")

lowest_only = pytest.mark.skipif(
    not _LOWEST, reason="shown on the lowest Airflow; it would take long on each"
)
newest_only = pytest.mark.skipif(_LOWEST, reason="shown on the newest Airflow; it would take long on each")
retried_after_a_crash = pytest.mark.skipif(
    _LOWEST, reason="Airflow 3.1 fails a task whose process was killed by a signal, whatever its retries"
)
