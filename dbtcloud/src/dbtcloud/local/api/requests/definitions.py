"""The bodies that create and update projects and environments."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.body_schema import BodySchema, check_body, check_object, check_state
from dbtcloud.local.model.records import EnvironmentRecord, ProjectRecord

_PROJECT: BodySchema = {
    "name": "string",
    "description": "string",
    "dbt_project_subdirectory": "string",
    "state": "integer",
}
_PROJECT_SHOWN: BodySchema = {
    "connection_id": "integer",
    "repository_id": "integer",
    "semantic_layer_config_id": "integer",
    "docs_job_id": "integer",
    "freshness_job_id": "integer",
    "type": "integer",
}
PROJECT_SCHEMA: BodySchema = {**_PROJECT, **_PROJECT_SHOWN, "account_id": "integer"}
"""`ProjectRequest` of the published specification."""

_ENVIRONMENT: BodySchema = {
    "name": "string",
    "dbt_version": "string",
    "type": "string",
    "deployment_type": "string",
    "use_custom_branch": "boolean",
    "custom_branch": "string",
    "state": "integer",
}
_ENVIRONMENT_SHOWN: BodySchema = {
    "connection_id": "integer",
    "credentials_id": "integer",
    "repository_id": "integer",
    "extended_attributes_id": "integer",
    "primary_profile_id": "integer",
    "dbt_project_subdirectory": "string",
    "supports_docs": "boolean",
    "enable_model_query_history": "boolean",
    "enable_dbt_state": "boolean",
}
ENVIRONMENT_SCHEMA: BodySchema = {
    **_ENVIRONMENT,
    **_ENVIRONMENT_SHOWN,
    "account_id": "integer",
    "project_id": "integer",
}
"""`EnvironmentV3Request` and `EnvironmentV2Request` of the published specification."""

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "type": ("development", "deployment"),
    "deployment_type": ("production", "staging"),
}
_MAY_BE_NULL = {"description", "dbt_project_subdirectory", "deployment_type", "custom_branch"}


def updated_project(body: Any, project: ProjectRecord) -> ProjectRecord:
    """Return a project with the changes of the body. Unknown fields are ignored.

    Raises:
        ApiException: 400: there is no name, a field has a wrong type, or the account is not that of the path.
    """
    check_body(check_object(body), PROJECT_SCHEMA, () if project.name else ("name",))
    _check_names(body, project.account_id)
    own, shown = _given(body, _PROJECT), _given(body, _PROJECT_SHOWN)
    return replace(project, **own, shown={**project.shown, **shown})


def updated_environment(body: Any, environment: EnvironmentRecord) -> EnvironmentRecord:
    """Return an environment with the changes of the body. Unknown fields are ignored.

    Raises:
        ApiException: 400: there is no name, a field has a wrong type, or the account is not that of the path.
    """
    check_body(check_object(body), ENVIRONMENT_SCHEMA, () if environment.name else ("name",))
    _check_names(body, environment.account_id)
    for name, choices in _CHOICES.items():
        if (value := body.get(name)) is not None and value not in choices:
            raise ApiException.bad_request({name: f"{value!r} is not one of {list(choices)!r}"})
    own, shown = _given(body, _ENVIRONMENT), _given(body, _ENVIRONMENT_SHOWN)
    return replace(environment, **own, shown={**environment.shown, **shown})


def _given(body: Mapping[str, Any], fields: BodySchema) -> dict[str, Any]:
    given = {name: body[name] for name in fields if name in body}
    return {name: value for name, value in given.items() if value is not None or name in _MAY_BE_NULL}


def _check_names(body: Mapping[str, Any], account_id: int) -> None:
    check_state(body)
    if body.get("name") == "":
        raise ApiException.bad_request({"name": "'' is too short"})
    if body.get("account_id") not in {None, account_id}:
        raise ApiException.bad_request(
            {"account_id": f"{body['account_id']!r} is not the account of the path"}
        )
