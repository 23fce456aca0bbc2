"""Names that a module offers without importing where they live until somebody asks for them.

Airflow imports operator modules in every task and at every DAG parse, and the hook behind them brings
requests and the HTTP provider along: about 300 ms.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

HOMES = {
    "DbtCloudHook": "airflow_dbt_cloud.hooks.dbt",
    "DbtCloudRunJobTrigger": "airflow_dbt_cloud.triggers.dbt",
}


def resolve(module: str, name: str) -> Any:
    """What `name` stands for; the `__getattr__` of a module calls this, so nothing is kept there.

    Raises:
        AttributeError: If the module offers no such name.
    """
    if name not in HOMES:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)


def resolve_patched(module: str, name: str) -> Any:
    """What `name` is in `module` now: what somebody has put there, or else what it stands for.

    A test that puts the original back leaves it in `module`; that must not hide what is at its home later.
    """
    there = getattr(import_module(module), name)
    original = (HOMES[name], name) == (
        getattr(there, "__module__", None),
        getattr(there, "__qualname__", None),
    )
    return resolve(module, name) if original else there
