"""Names, parameters, defaults and return types of the hook, as DAGs have come to rely on them."""

import inspect
from typing import get_type_hints

import pytest
import requests
from airflow.providers.http.hooks.http import HttpHook

from airflow_dbt_cloud.hooks import dbt
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook

NO = inspect.Parameter.empty
WEEK = 604_800
ACCOUNT = {"account_id": None}

POSITIONAL = {
    "__init__": {
        "dbt_cloud_conn_id": "dbt_cloud_default",
        "timeout_seconds": None,
        "retry_limit": 1,
        "retry_delay": 1.0,
        "retry_args": None,
    },
    "list_accounts": {},
    "get_account": ACCOUNT,
    "list_projects": {**ACCOUNT, "name_contains": None},
    "get_project": {"project_id": NO, **ACCOUNT},
    "list_environments": {"project_id": NO},
    "get_environment": {"project_id": NO, "environment_id": NO},
    "list_jobs": {
        **ACCOUNT,
        "order_by": None,
        "project_id": None,
        "environment_id": None,
        "name_contains": None,
    },
    "get_job": {"job_id": NO, **ACCOUNT},
    "get_job_by_name": {},
    "trigger_job_run": {
        "job_id": NO,
        "cause": NO,
        **ACCOUNT,
        "steps_override": None,
        "schema_override": None,
        "retry_from_failure": False,
        "additional_run_config": None,
    },
    "list_job_runs": {**ACCOUNT, "include_related": None, "job_definition_id": None, "order_by": None},
    "get_job_runs": {**ACCOUNT, "payload": None},
    "get_job_run": {"run_id": NO, **ACCOUNT, "include_related": None},
    "get_job_run_status": {"run_id": NO, **ACCOUNT},
    "wait_for_job_run_status": {
        "run_id": NO,
        **ACCOUNT,
        "expected_statuses": 10,
        "check_interval": 60,
        "timeout": WEEK,
    },
    "cancel_job_run": {"run_id": NO, **ACCOUNT},
    "list_job_run_artifacts": {"run_id": NO, **ACCOUNT, "step": None},
    "get_job_run_artifact": {"run_id": NO, "path": NO, **ACCOUNT, "step": None},
    "retry_failed_job_run": {"job_id": NO, **ACCOUNT},
    "log_job_run_failure_details": {"run_id": NO, **ACCOUNT, "job_run": None},
    "get_headers_tenants_from_connection": {},
    "get_job_details": {"run_id": NO, **ACCOUNT, "include_related": None},
    "get_job_status": {"run_id": NO, **ACCOUNT, "include_related": None},
    "get_job_run_artifacts_concurrently": {"run_id": NO, "artifacts": NO, **ACCOUNT, "step": None},
    "test_connection": {},
    "get_request_url_params": {"tenant": NO, "endpoint": NO, "include_related": None},
}
KEYWORDS = {
    "list_environments": {"name_contains": None, **ACCOUNT},
    "get_environment": ACCOUNT,
    "get_job_by_name": {"project_name": None, "environment_name": None, "job_name": NO, **ACCOUNT},
    "get_request_url_params": {"api_version": "v2"},
    "list_jobs": {"limit": None, "each": None},
    "list_job_runs": {"statuses": None, "limit": None, "each": None},
}
ONE, PAGES = requests.Response, list[requests.Response]
RETURNS = {
    **dict.fromkeys(
        ["list_accounts", "list_projects", "list_environments", "list_jobs", "list_job_runs"], PAGES
    ),
    **dict.fromkeys(
        ["get_account", "get_project", "get_environment", "get_job", "get_job_run", "get_job_runs"], ONE
    ),
    **dict.fromkeys(["trigger_job_run", "get_job_run_artifact", "retry_failed_job_run"], ONE),
    **dict.fromkeys(["cancel_job_run", "log_job_run_failure_details"], type(None)),
    "list_job_run_artifacts": PAGES,
    "get_job_run_status": int,
    "wait_for_job_run_status": bool,
    "test_connection": tuple[bool, str],
    "get_job_status": int,
}


def parameters(name, *kinds):
    found = inspect.signature(getattr(DbtCloudHook, name)).parameters.values()
    return {each.name: each.default for each in found if each.kind in kinds and each.name != "self"}


@pytest.mark.parametrize("name", POSITIONAL)
def test_a_verb_takes_what_it_always_took(name):
    positional = parameters(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    assert list(positional.items())[: len(POSITIONAL[name])] == list(POSITIONAL[name].items())
    assert all(default is not NO for default in list(positional.values())[len(POSITIONAL[name]) :])
    keywords = parameters(name, inspect.Parameter.KEYWORD_ONLY)
    assert KEYWORDS.get(name, {}).items() <= keywords.items()


@pytest.mark.parametrize("name", RETURNS)
def test_a_verb_returns_what_it_always_returned(name):
    verb = getattr(DbtCloudHook, name)
    of_its_module = inspect.unwrap(verb).__globals__
    assert get_type_hints(verb, {**of_its_module, "Response": ONE})["return"] == RETURNS[name]


ASYNC = {
    "get_headers_tenants_from_connection",
    "get_job_details",
    "get_job_status",
    "get_job_run_artifacts_concurrently",
}


def test_four_verbs_are_coroutines_and_the_others_are_not():
    assert {name for name in POSITIONAL if inspect.iscoroutinefunction(getattr(DbtCloudHook, name))} == ASYNC


@pytest.mark.parametrize(
    "name",
    [
        *(
            "DBT_CAUSE_MAX_LENGTH",
            "fallback_to_default_account",
            "provide_account_id",
            "TokenAuth",
            "JobRunInfo",
        ),
        *("DbtCloudJobRunStatus", "DbtCloudJobRunException", "DbtCloudResourceLookupError", "DbtCloudHook"),
        *("DbtCloudTriggerEventException", "TRIGGER_EVENT_STATUSES", "validate_execute_complete_event"),
    ],
)
def test_a_name_is_where_dags_import_it_from(name):
    assert name in dbt.__all__
    assert hasattr(dbt, name)


def test_the_hook_is_an_http_hook_for_connections_of_its_type():
    assert issubclass(DbtCloudHook, HttpHook)
    assert DbtCloudHook.conn_name_attr == "dbt_cloud_conn_id"
    assert DbtCloudHook.default_conn_name == "dbt_cloud_default"
    assert (DbtCloudHook.conn_type, DbtCloudHook.hook_name) == ("dbt_cloud", "dbt Cloud")
