"""The connection form that Airflow 3.1 asks the hook for says what the provider's metadata says."""

import pytest

from airflow_dbt_cloud.get_provider_info import get_provider_info
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

(DECLARED,) = get_provider_info()["connection-types"]


def test_labels_and_hidden_fields_are_those_of_the_metadata():
    behaviour = DbtCloudHook.get_ui_field_behaviour()
    assert set(behaviour) == {"hidden_fields", "relabeling", "placeholders"}
    assert behaviour["hidden_fields"] == ["schema", "port"]
    assert behaviour["relabeling"]["login"] == "Account ID"
    assert behaviour["relabeling"]["password"] == "API Token"
    assert "Tenant" in behaviour["relabeling"]["host"]
    assert behaviour["relabeling"] == DECLARED["ui-field-behaviour"]["relabeling"]


def test_the_hook_and_the_metadata_speak_of_the_same_type():
    assert DECLARED["connection-type"] == DbtCloudHook.conn_type
    assert DECLARED["hook-name"] == DbtCloudHook.hook_name
    assert DECLARED["hook-class-name"] == f"{DbtCloudHook.__module__}.{DbtCloudHook.__name__}"


def test_the_own_fields_are_those_of_the_metadata():
    pytest.importorskip("flask_appbuilder")
    assert list(DbtCloudHook.get_connection_form_widgets()) == list(DECLARED["conn-fields"])
