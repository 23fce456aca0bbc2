"""Names that a module offers lazily behave as if it had imported them."""

import json
import subprocess
import sys
from importlib import import_module
from unittest import mock

import pytest

from airflow_dbt_cloud import lazy
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

MODULES = ["operators.dbt", "sensors.dbt", "triggers.dbt"]
PLACES = pytest.mark.parametrize("place", [f"airflow_dbt_cloud.{module}" for module in MODULES])
HEAVY = ["requests", "aiohttp", "airflow.providers.http.hooks.http", "airflow_dbt_cloud.hooks.dbt"]


def test_importing_what_dags_import_loads_neither_requests_nor_aiohttp_nor_the_http_hook():
    code = (
        "import airflow.sdk, sys, json; before = set(sys.modules);"
        "import airflow_dbt_cloud.operators.dbt, airflow_dbt_cloud.sensors.dbt;"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"airflow_dbt_cloud.operators.dbt", "airflow_dbt_cloud.sensors.dbt"} <= loaded
    assert not set(HEAVY) & loaded


@PLACES
def test_the_hook_is_offered_where_operators_sensors_and_triggers_live(place):
    assert import_module(place).DbtCloudHook is DbtCloudHook


@PLACES
def test_a_name_that_is_not_offered_is_missing_as_usual(place):
    with pytest.raises(AttributeError, match=f"module '{place}' has no attribute 'Breakfast'"):
        import_module(place).Breakfast  # noqa: B018 - the access is the test


@PLACES
def test_a_patch_at_home_is_seen_and_undone(place):
    with mock.patch("airflow_dbt_cloud.hooks.dbt.DbtCloudHook") as stand_in:
        assert lazy.resolve_patched(place, "DbtCloudHook") is stand_in
    assert lazy.resolve_patched(place, "DbtCloudHook") is DbtCloudHook


@PLACES
def test_a_patch_at_the_place_is_seen_there_alone_and_undone(place):
    others = {f"airflow_dbt_cloud.{module}" for module in MODULES} - {place}
    with mock.patch(f"{place}.DbtCloudHook") as stand_in:
        assert lazy.resolve_patched(place, "DbtCloudHook") is stand_in
        assert {lazy.resolve_patched(other, "DbtCloudHook") for other in others} == {DbtCloudHook}
    assert lazy.resolve_patched(place, "DbtCloudHook") is DbtCloudHook


@PLACES
def test_a_patch_at_home_is_seen_also_after_a_monkeypatch_put_the_original_back(place):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(f"{place}.DbtCloudHook", object)
        assert lazy.resolve_patched(place, "DbtCloudHook") is object
    with mock.patch("airflow_dbt_cloud.hooks.dbt.DbtCloudHook") as stand_in:
        assert lazy.resolve_patched(place, "DbtCloudHook") is stand_in


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("hooks.dbt", "time"),
        ("hooks.dbt", "json"),
        ("operators.dbt", "time"),
        ("sensors.dbt", "time"),
        ("triggers.dbt", "time"),
        ("triggers.dbt", "DbtCloudJobRunStatus"),
        *(
            (module, "validate_execute_complete_event")
            for module in ("hooks.dbt", "operators.dbt", "sensors.dbt")
        ),
        *((module, "DbtCloudRunJobTrigger") for module in ("operators.dbt", "sensors.dbt")),
        *(
            (module, "generate_openlineage_events_from_dbt_cloud_run")
            for module in ("operators.dbt", "sensors.dbt", "utils.openlineage")
        ),
        ("operators.dbt", "inject_parent_job_information_into_dbt_cloud_cause"),
        ("utils.openlineage", "inject_parent_job_information_into_dbt_cloud_cause"),
    ],
)
def test_names_of_the_official_modules_can_be_patched(module, name):
    with mock.patch(f"airflow_dbt_cloud.{module}.{name}") as stand_in:
        assert getattr(import_module(f"airflow_dbt_cloud.{module}"), name) is stand_in
