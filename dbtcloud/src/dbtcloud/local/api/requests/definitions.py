"""The bodies that create and update projects and environments."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import EnvironmentRecord, ProjectRecord
from dbtcloud.local.model.request_body import BodySchema, RequestBody

_D = TypeVar("_D", ProjectRecord, EnvironmentRecord)


@dataclass(frozen=True, slots=True)
class _DefinitionBody:
    """The body of a request that creates or updates a definition.

    Attributes:
        fields: the types of the fields that the record of the definition has.
        shown: the types of the fields that are stored and shown, and have no effect.
        owners: the types of the fields that name the owners of the definition.
        choices: the values that some fields may have.
        may_be_null: the fields that a null sets. In others, a null changes nothing.
    """

    fields: BodySchema
    shown: BodySchema
    owners: BodySchema
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    may_be_null: Collection[str] = ()

    @property
    def schema(self) -> BodySchema:
        """Return the types of all fields."""
        return {**self.fields, **self.shown, **self.owners}

    def updated(self, body: Any, definition: _D) -> _D:
        """Return a definition with the changes of a body. Unknown fields are ignored.

        Raises:
            ApiException: 400: a new definition has no name, a field has a wrong type or value, or the account
                is not that of the definition.
        """
        RequestBody.check(RequestBody.as_object(body), self.schema, () if definition.name else ("name",))
        RequestBody.check_state(body)
        if body.get("name") == "":
            raise ApiException.bad_request({"name": "'' is too short"})
        if body.get("account_id") not in {None, definition.account_id}:
            raise ApiException.bad_request(
                {"account_id": f"{body['account_id']!r} is not the account of the path"}
            )
        for name, choices in self.choices.items():
            if (value := body.get(name)) is not None and value not in choices:
                raise ApiException.bad_request({name: f"{value!r} is not one of {list(choices)!r}"})
        own, shown = self._given(body, self.fields), self._given(body, self.shown)
        return replace(definition, **own, shown={**definition.shown, **shown})

    def _given(self, body: Mapping[str, Any], fields: BodySchema) -> dict[str, Any]:
        given = {name: body[name] for name in fields if name in body}
        return {name: value for name, value in given.items() if value is not None or name in self.may_be_null}


PROJECT_BODY = _DefinitionBody(
    fields={
        "name": "string",
        "description": "string",
        "dbt_project_subdirectory": "string",
        "state": "integer",
    },
    shown={
        "connection_id": "integer",
        "repository_id": "integer",
        "semantic_layer_config_id": "integer",
        "docs_job_id": "integer",
        "freshness_job_id": "integer",
        "type": "integer",
    },
    owners={"account_id": "integer"},
    may_be_null=("description", "dbt_project_subdirectory"),
)
"""`ProjectRequest` of the published specification."""

ENVIRONMENT_BODY = _DefinitionBody(
    fields={
        "name": "string",
        "dbt_version": "string",
        "type": "string",
        "deployment_type": "string",
        "use_custom_branch": "boolean",
        "custom_branch": "string",
        "state": "integer",
    },
    shown={
        "connection_id": "integer",
        "credentials_id": "integer",
        "repository_id": "integer",
        "extended_attributes_id": "integer",
        "primary_profile_id": "integer",
        "dbt_project_subdirectory": "string",
        "supports_docs": "boolean",
        "enable_model_query_history": "boolean",
        "enable_dbt_state": "boolean",
    },
    owners={"account_id": "integer", "project_id": "integer"},
    choices={"type": ("development", "deployment"), "deployment_type": ("production", "staging")},
    may_be_null=("dbt_project_subdirectory", "deployment_type", "custom_branch"),
)
"""`EnvironmentV3Request` and `EnvironmentV2Request` of the published specification."""
