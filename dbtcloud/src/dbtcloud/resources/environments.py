"""The environments of the account's projects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict, Unpack

from dbtcloud.client import endpoints
from dbtcloud.client.definitions.changes import create_object, delete_object, update_object
from dbtcloud.client.errors import MalformedResponse
from dbtcloud.client.models import Environment, Json
from dbtcloud.client.protocol import Call, Id, Request, ask_for_data, identifier
from dbtcloud.resources.base.faces import F, Resource, listing, operation
from dbtcloud.resources.base.pages import Listing

_READ_ONLY = frozenset(
    {
        "connection",
        "created_at",
        "credentials",
        "custom_environment_variables",
        "fusion_readiness",
        "id",
        "is_deferrable",
        "jobs",
        "project",
        "raw_dbt_version",
        "repository",
        "updated_at",
    }
)
"""What the answer has and `EnvironmentV3Request` does not (API v3): among it, related objects."""

_DEFAULTS = {"type": "deployment", "dbt_version": "latest", "supports_docs": False, "state": 1}
"""What dbt Cloud requires of a new environment, beside its name and branch."""


class EnvironmentFields(TypedDict, total=False):
    """The fields of an environment that can be written, beside its name (API v3, `EnvironmentV3Request`).

    Attributes:
        dbt_version: Such as "latest"; the default of a new one.
        type: "deployment", the default of a new one, or "development".
        deployment_type: "production", "staging" or None.
        custom_branch: The branch that its runs use in place of the repository's default one.
        use_custom_branch: Whether they do; unless given, whatever `custom_branch` says.
        credentials_id: The credentials for the data platform.
        connection_id: The connection to the data platform.
        extended_attributes_id: The attributes that change the connection.
        primary_profile_id: The profile with connection and credentials.
        supports_docs: Whether dbt can generate documentation.
        enable_model_query_history: Whether queries of models are counted.
        enable_dbt_state: Whether dbt State is on.
        state: 1 for an active environment, 2 for a deleted one.
    """

    dbt_version: str
    type: Literal["deployment", "development"]
    deployment_type: Literal["production", "staging"] | None
    custom_branch: str | None
    use_custom_branch: bool
    credentials_id: int | None
    connection_id: int | None
    extended_attributes_id: int | None
    primary_profile_id: int | None
    supports_docs: bool
    enable_model_query_history: bool
    enable_dbt_state: bool
    state: int


class EnvironmentChanges(EnvironmentFields, total=False):
    """The fields of an environment that can be changed.

    Attributes:
        name: Its name.
    """

    name: str


class Environments(Resource[F]):
    """The environments of the account's projects (API v3, "Environments")."""

    @listing
    def list(
        self, project_id: Id | None = None, *, name_contains: str | None = None, limit: int | None = None
    ) -> Listing[Environment]:
        """List environments (API v3, "List Environments").

        Args:
            project_id: Only those of this project. Without it, they are listed with v2, which is deprecated
                and the only documented list of a whole account.
            name_contains: Only those with this in their name, upper or lower case.
            limit: Largest number of environments; all if None.
        """
        if project_id is None:
            request = Request.get(self._account_id, "environments")
            return Listing(
                request, Environment.parse, limit, keep=_named(name_contains) if name_contains else None
            )
        path = ("projects", identifier(project_id, "project id"), "environments")
        query = {"name__icontains": name_contains}
        return Listing(
            Request.get(self._account_id, *path, version="v3", query=query), Environment.parse, limit
        )

    @operation
    def get(self, environment_id: Id, project_id: Id | None = None) -> Call[Environment]:
        """Get an environment (API v3, "Retrieve Environment").

        Args:
            environment_id: The environment.
            project_id: Its project. Without it, v2 is asked, which is deprecated, needs no project, and sends
                fewer fields.

        Raises:
            NotFound: If there is no such environment.
            DbtCloudError: If the request fails.
        """
        if project_id is not None:
            return (yield from endpoints.get_environment(self._account_id, project_id, environment_id))
        request = Request.get(self._account_id, "environments", _id(environment_id))
        return (yield from ask_for_data(request, Environment.parse))

    @operation
    def create(self, project_id: Id, name: str, **fields: Unpack[EnvironmentFields]) -> Call[Environment]:
        """Create an environment (API v3, "Create Environment").

        Args:
            project_id: The project that it belongs to.
            name: Its name.
            fields: Its other fields (see `EnvironmentFields`). Any other field of the API is sent as well.

        Raises:
            BadRequest: If dbt Cloud refuses a field.
            DbtCloudError: If the request fails. It is not sent twice, so after a lost answer the environment
                may exist.
        """
        project = identifier(project_id, "project id")
        owners = {"account_id": int(self._account_id), "project_id": int(project)}
        given = _with_branch({"custom_branch": None, **fields})
        body = {**owners, **_DEFAULTS, "name": name, **given}
        path = f"projects/{project}/environments/"
        return (yield from create_object(self._account_id, path, body, Environment.parse))

    @operation
    def update(
        self, environment_id: Id, *, project_id: Id | None = None, **changes: Unpack[EnvironmentChanges]
    ) -> Call[Environment]:
        """Change fields of an environment (API v3, "Update Environment"). It keeps all others.

        The environment is read first. What somebody else changes between that and the update is lost.

        Args:
            environment_id: The environment.
            project_id: Its project; without it, it is looked up with one more request.
            changes: The fields that change (see `EnvironmentChanges`); None empties one. Any other field of
                the API is sent as well.

        Raises:
            NotFound: If there is no such environment.
            BadRequest: If dbt Cloud refuses a field.
            DbtCloudError: If a request fails.
        """
        path = yield from _path(self._account_id, environment_id, project_id)
        given = _with_branch({**changes})
        return (
            yield from update_object(self._account_id, path, given, Environment.parse, read_only=_READ_ONLY)
        )

    @operation
    def delete(self, environment_id: Id, project_id: Id | None = None) -> Call[None]:
        """Delete an environment with its jobs (API v3, "Destroy Environment").

        Args:
            environment_id: The environment.
            project_id: Its project; without it, it is looked up with one more request.

        Raises:
            NotFound: If there is no such environment.
            DbtCloudError: If a request fails.
        """
        path = yield from _path(self._account_id, environment_id, project_id)
        yield from delete_object(self._account_id, path)


def _id(environment_id: Id) -> str:
    return identifier(environment_id, "environment id")


def _path(account_id: Id, environment_id: Id, project_id: Id | None) -> Call[str]:
    """Return the path of an environment in v3, which names its project."""
    if project_id is None:
        request = Request.get(account_id, "environments", _id(environment_id))
        project_id = yield from ask_for_data(request, _project_id)
    return f"projects/{identifier(project_id, 'project id')}/environments/{_id(environment_id)}/"


def _project_id(data: Json) -> int:
    project_id = Environment.parse(data).project_id
    if project_id is None:
        raise MalformedResponse.unexpected("dbt Cloud sent an environment without 'project_id'", data)
    return project_id


def _named(part: str | None) -> Callable[[Json], bool] | None:
    """Return the filter by name, which v2 does not have."""
    wanted = part.casefold() if part else ""
    return (lambda row: wanted in str(row.get("name")).casefold()) if wanted else None


def _with_branch(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with `use_custom_branch`, where only the branch is given."""
    if "custom_branch" not in fields:
        return fields
    return {"use_custom_branch": fields["custom_branch"] is not None, **fields}
