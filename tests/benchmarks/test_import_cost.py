import sys
from pathlib import Path

import pytest

from benchmarks.import_cost import Subject


def test_importing_the_operators_loads_no_http_library_and_few_modules(tmp_path: Path) -> None:
    ours = Subject("ours", Path(sys.executable), "airflow_dbt_cloud.operators.dbt")

    ours.measure(str(tmp_path))

    assert ours.heavy == []
    assert 0 < ours.modules < 40


@pytest.mark.extensive
def test_what_is_heavy_is_noticed(tmp_path: Path) -> None:
    hook = Subject("hook", Path(sys.executable), "airflow_dbt_cloud.hooks.dbt")

    hook.measure(str(tmp_path))

    assert {"requests", "airflow.providers.http.hooks.http"} <= set(hook.heavy)
