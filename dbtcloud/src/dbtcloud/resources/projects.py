"""The projects of the account."""

from __future__ import annotations

from typing import TypedDict, Unpack

from dbtcloud.client import endpoints
from dbtcloud.client.definitions.changes import create_object, delete_object, update_object
from dbtcloud.client.models import Project
from dbtcloud.client.protocol import Call, Id, Request, identifier
from dbtcloud.resources.base.faces import F, Resource, listing, operation
from dbtcloud.resources.base.pages import Listing

_READ_ONLY = frozenset(
    {
        "connection",
        "created_at",
        "default_version",
        "docs_job",
        "environments",
        "freshness_job",
        "fusion_readiness",
        "group_permissions",
        "id",
        "repository",
        "updated_at",
    }
)
"""The fields of `ProjectResponse` that `ProjectRequest` does not have (API v3)."""


class ProjectFields(TypedDict, total=False):
    """The fields of a project that can be written, beside its name (API v3, `ProjectRequest`).

    Attributes:
        description: What it is for.
        dbt_project_subdirectory: Where in the repository the dbt project lies.
        connection_id: The connection to the data platform.
        repository_id: The repository.
        semantic_layer_config_id: The configuration of the Semantic Layer.
        docs_job_id: The job that generates the documentation.
        freshness_job_id: The job that checks source freshness.
        type: 0 for a usual project, 1 for a hybrid one.
        state: 1 for an active project, 2 for a deleted one.
    """

    description: str | None
    dbt_project_subdirectory: str | None
    connection_id: int | None
    repository_id: int | None
    semantic_layer_config_id: int | None
    docs_job_id: int | None
    freshness_job_id: int | None
    type: int
    state: int


class ProjectChanges(ProjectFields, total=False):
    """The fields of a project that can be changed.

    Attributes:
        name: Its name.
    """

    name: str


class Projects(Resource[F]):
    """The projects of the account (API v3, "Projects")."""

    @listing
    def list(self, *, name_contains: str | None = None, limit: int | None = None) -> Listing[Project]:
        """List projects (API v3, "List Projects").

        Args:
            name_contains: Only those with this in their name, upper or lower case.
            limit: Largest number of projects; all if None.
        """
        query = {"name__icontains": name_contains}
        return Listing(
            Request.get(self._account_id, "projects", version="v3", query=query), Project.parse, limit
        )

    @operation
    def get(self, project_id: Id) -> Call[Project]:
        """Get a project (API v3, "Retrieve Project").

        Args:
            project_id: The project.

        Raises:
            NotFound: If there is no such project.
            DbtCloudError: If the request fails.
        """
        return (yield from endpoints.get_project(self._account_id, project_id))

    @operation
    def create(self, name: str, **fields: Unpack[ProjectFields]) -> Call[Project]:
        """Create a project (API v3, "Create Project").

        Args:
            name: Its name.
            fields: Its other fields (see `ProjectFields`). Any other field of the API is sent as well.

        Raises:
            BadRequest: If dbt Cloud refuses a field.
            DbtCloudError: If the request fails. It is not sent twice, so after a lost answer the project may
                exist.
        """
        body = {"account_id": int(self._account_id), "state": 1, "type": 0, "name": name, **fields}
        return (yield from create_object(self._account_id, "projects/", body, Project.parse))

    @operation
    def update(self, project_id: Id, **changes: Unpack[ProjectChanges]) -> Call[Project]:
        """Change fields of a project (API v3, "Update Project"). It keeps all others.

        The project is read first. What somebody else changes between that and the update is lost.

        Args:
            project_id: The project.
            changes: The fields that change (see `ProjectChanges`); None empties one. Any other field of the
                API is sent as well.

        Raises:
            NotFound: If there is no such project.
            BadRequest: If dbt Cloud refuses a field.
            DbtCloudError: If a request fails.
        """
        path = _path(project_id)
        return (
            yield from update_object(self._account_id, path, {**changes}, Project.parse, read_only=_READ_ONLY)
        )

    @operation
    def delete(self, project_id: Id) -> Call[None]:
        """Delete a project (API v3, "Destroy Project").

        Args:
            project_id: The project.

        Raises:
            NotFound: If there is no such project.
            DbtCloudError: If the request fails.
        """
        yield from delete_object(self._account_id, _path(project_id))


def _path(project_id: Id) -> str:
    return f"projects/{identifier(project_id, 'project id')}/"
