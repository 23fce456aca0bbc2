"""Airflow accepts the provider's declaration and finds what it declares."""

import json
import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import airflow
import jsonschema
import pytest
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
from airflow.providers_manager import ProvidersManager

from airflow_dbt_cloud import __version__
from airflow_dbt_cloud.get_provider_info import get_provider_info
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

INFO = get_provider_info()


@pytest.fixture(scope="module")
def manager():
    return ProvidersManager()


def test_the_declaration_fits_airflows_schema():
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(INFO, schema)


def test_the_distribution_announces_the_declaration():
    (entry,) = [
        each
        for each in entry_points(group="apache_airflow_provider")
        if each.dist.name == INFO["package-name"]
    ]
    assert entry.load() is get_provider_info


def test_airflow_lists_the_provider():
    command = [sys.executable, "-m", "airflow", "providers", "list", "--output", "json"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    listed = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("[{")))
    (ours,) = [each for each in listed if each["package_name"] == "airflow-dbt-cloud"]
    assert (ours["description"], ours["version"]) == (INFO["description"].rstrip("."), __version__)


def test_airflow_knows_the_connection_type_and_its_hook(manager):
    hook = manager.hooks["dbt_cloud"]
    assert (hook.hook_name, hook.package_name) == ("dbt Cloud", "airflow-dbt-cloud")
    assert hook.hook_class_name == "airflow_dbt_cloud.hooks.dbt.DbtCloudHook"
    assert hook.connection_id_attribute_name == DbtCloudHook.conn_name_attr


def test_airflow_knows_the_link(manager):
    assert "airflow_dbt_cloud.operators.dbt.DbtCloudRunJobOperatorLink" in manager.extra_links_class_names


def test_the_web_page_is_told_our_labels_and_what_to_hide():
    if airflow.__version__.startswith("3.1."):
        pytest.importorskip("flask_appbuilder", reason="without it Airflow 3.1 shows every form uncustomised")
    declared = INFO["connection-types"][0]["ui-field-behaviour"]
    (form,) = [each for each in HookMetaService.hook_meta_data() if each.connection_type == "dbt_cloud"]
    fields = form.standard_fields.model_dump()
    for name, label in declared["relabeling"].items():
        assert (fields[name]["title"], fields[name]["placeholder"]) == (label, declared["placeholders"][name])
    assert {name for name, field in fields.items() if field and field["hidden"]} == {"url_schema", "port"}
    assert list(form.extra_fields) == list(INFO["connection-types"][0]["conn-fields"])


@pytest.mark.parametrize("kind", ["hooks", "operators", "sensors", "triggers"])
def test_every_declared_module_can_be_imported(kind):
    for group in INFO[kind]:
        for module in group["python-modules"]:
            assert import_module(module)
