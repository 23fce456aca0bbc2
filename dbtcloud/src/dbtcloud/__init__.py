"""dbt Cloud for Python programs: a client, reports on runs, and a dbt Cloud on your own machine.

A first example reads a job:

    from dbtcloud import DbtCloudClient

    with DbtCloudClient(token="dbtc_your_token", account_id=1, host="ab123.us1.dbt.com") as client:
        print(client.jobs.get(42).name)
"""

from importlib import import_module
from typing import TYPE_CHECKING

from dbtcloud.version import __version__

if TYPE_CHECKING:
    from dbtcloud.resources.client import AsyncDbtCloudClient, DbtCloudClient
    from dbtcloud.resources.credentials import DbtCloudCredentials
    from dbtcloud.resources.run_job import get_dbt_cloud_run_status, run_dbt_cloud_job
    from dbtcloud.resources.run_result import DbtCloudOutput, DbtCloudRunResult, DbtCloudRunStatus

__all__ = [
    "AsyncDbtCloudClient",
    "DbtCloudClient",
    "DbtCloudCredentials",
    "DbtCloudOutput",
    "DbtCloudRunResult",
    "DbtCloudRunStatus",
    "__version__",
    "get_dbt_cloud_run_status",
    "run_dbt_cloud_job",
]

# Airflow imports modules of this package for each DAG file, so these names are imported at their first use.
_MODULES = {
    "AsyncDbtCloudClient": "dbtcloud.resources.client",
    "DbtCloudClient": "dbtcloud.resources.client",
    "DbtCloudCredentials": "dbtcloud.resources.credentials",
    "DbtCloudOutput": "dbtcloud.resources.run_result",
    "DbtCloudRunResult": "dbtcloud.resources.run_result",
    "DbtCloudRunStatus": "dbtcloud.resources.run_result",
    "get_dbt_cloud_run_status": "dbtcloud.resources.run_job",
    "run_dbt_cloud_job": "dbtcloud.resources.run_job",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
