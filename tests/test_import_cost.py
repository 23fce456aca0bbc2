"""What DAG files import stays small: Airflow imports it at every parse and in every task."""

import json
import subprocess
import sys

import pytest

LIMITS = {"operators.dbt": 24, "sensors.dbt": 20, "triggers.dbt": 20}


def imported(module):
    """The modules of both distributions that an import of one loads."""
    code = f"import sys, json, airflow_dbt_cloud.{module}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = json.loads(done.stdout.splitlines()[-1])
    return [name for name in loaded if name.split(".")[0] in {"airflow_dbt_cloud", "dbtcloud"}]


@pytest.mark.parametrize("module", LIMITS)
def test_an_import_loads_few_modules_of_both_distributions(module):
    modules = imported(module)
    assert f"airflow_dbt_cloud.{module}" in modules
    assert len(modules) <= LIMITS[module], sorted(modules)
