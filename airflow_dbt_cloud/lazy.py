"""Names that a module offers without importing the modules that define them until they are used.

Airflow imports operator modules in every task and at every DAG parse. The hook behind them imports requests
and the HTTP provider, which takes many times as long as the operators themselves.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "DbtCloudHook": "airflow_dbt_cloud.hooks.dbt",
    "DbtCloudRunJobTrigger": "airflow_dbt_cloud.triggers.dbt",
    "generate_openlineage_events_from_dbt_cloud_run": "airflow_dbt_cloud.utils.openlineage",
    "inject_parent_job_information_into_dbt_cloud_cause": "airflow_dbt_cloud.utils.openlineage",
}

_MODULES = frozenset({"json", "time", "warnings"})
"""Modules that those of the official provider import. Users' tests patch what is in them, as `time.sleep`."""


def resolve(module: str, name: str) -> Any:
    """Return the object called `name`, on behalf of the `__getattr__` of a module.

    Raises:
        AttributeError: If the module offers no such name.
    """
    if name in _MODULES:
        return import_module(name)
    if name not in _HOMES:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def resolve_patched(module: str, name: str) -> Any:
    """Return what `name` is now: a user's test may have replaced it in `module` or where it is defined."""
    home = import_module(_HOMES[name])
    found = vars(import_module(module)).get(name)
    # A test that undoes its patch may leave the original in `module`, where it must not hide a later patch of
    # the defining module.
    is_original = (
        getattr(found, "__module__", None) == _HOMES[name] and getattr(found, "__qualname__", None) == name
    )
    return getattr(home, name) if found is None or is_original else found
