"""The environment variables of projects, and what jobs have instead."""

from __future__ import annotations

import builtins
from collections.abc import Mapping

from dbtcloud.client import endpoints
from dbtcloud.client.definitions.environment_variable import CustomEnvironmentVariable, variable_rows
from dbtcloud.client.definitions.variable_changes import VariablesOfProject
from dbtcloud.client.errors import MalformedResponse
from dbtcloud.client.protocol import Call, Id
from dbtcloud.resources.base.faces import F, Resource, listing, operation
from dbtcloud.resources.base.pages import Listing


class EnvironmentVariables(Resource[F]):
    """The environment variables of projects (API v3, "Environment Variables").

    A name begins with `DBT_`. Values of a name that begins with `DBT_ENV_SECRET_` are secret: dbt Cloud does
    not show them, and neither does anything here, not in objects, errors or logs.
    """

    @listing
    def list(self, project_id: Id, *, limit: int | None = None) -> Listing[CustomEnvironmentVariable]:
        """List the variables of a project. They come in one answer.

        Args:
            project_id: The project.
            limit: Largest number of variables; all if None.
        """
        request = VariablesOfProject(self._account_id, project_id).list_request
        return Listing(request, CustomEnvironmentVariable.parse, limit, rows=variable_rows)

    @operation
    def create(
        self, project_id: Id, name: str, value: str | Mapping[str, str]
    ) -> Call[CustomEnvironmentVariable]:
        """Create a variable.

        Args:
            project_id: The project.
            name: Its name, such as "DBT_SCHEMA".
            value: Its value in the whole project, or values by the names of environments, with "project" for
                the whole project: `{"project": "dev", "Production": "prod"}`.

        Raises:
            BadRequest: If dbt Cloud refuses the name, or there is such a variable.
            InvalidArgument: If there is no such environment, or a value is no text.
            NotFound: If there is no such project.
            DbtCloudError: If a request fails. It is not sent twice, so after a lost answer the variable may
                exist.
        """
        return (yield from VariablesOfProject(self._account_id, project_id).create(name, value))

    @operation
    def update(
        self,
        project_id: Id,
        name: str,
        value: str | Mapping[str, str | None] | None = None,
        *,
        new_name: str | None = None,
    ) -> Call[CustomEnvironmentVariable]:
        """Change values of a variable, or its name. It keeps all other values.

        Args:
            project_id: The project.
            name: Its name.
            value: Its value in the whole project, or values by the names of environments, with "project" for
                the whole project. In such a mapping, None takes a value away. A variable without any value is
                deleted.
            new_name: Its new name, if that changes.

        Raises:
            BadRequest: If dbt Cloud refuses a name.
            InvalidArgument: If there is no such environment, or a value is no text.
            NotFound: If there is no such project or variable.
            DbtCloudError: If a request fails.
        """
        return (yield from VariablesOfProject(self._account_id, project_id).update(name, value, new_name))

    @operation
    def delete(self, project_id: Id, name: str) -> Call[None]:
        """Delete a variable with all its values, also those of jobs.

        Args:
            project_id: The project.
            name: Its name.

        Raises:
            NotFound: If there is no such project or variable.
            DbtCloudError: If the request fails.
        """
        yield from VariablesOfProject(self._account_id, project_id).delete(name)

    @operation
    def list_overrides(self, job_id: Id) -> Call[builtins.list[CustomEnvironmentVariable]]:
        """List the variables for which a job has a value of its own.

        Args:
            job_id: The job.

        Returns:
            The variables; `values` has those of the "job", of its "environment" and of the "project".

        Raises:
            NotFound: If there is no such job.
            DbtCloudError: If a request fails.
        """
        variables = yield from _of_job(self._account_id, job_id)
        return (yield from variables.overrides(job_id))

    @operation
    def set_override(self, job_id: Id, name: str, value: str) -> Call[CustomEnvironmentVariable]:
        """Give a job its own value of a variable, or change it.

        Args:
            job_id: The job.
            name: The variable's name.
            value: The value that the job's runs have.

        Raises:
            BadRequest: If dbt Cloud refuses the name.
            InvalidArgument: If the value is no text.
            NotFound: If there is no such job.
            DbtCloudError: If a request fails.
        """
        variables = yield from _of_job(self._account_id, job_id)
        return (yield from variables.set_override(job_id, name, value))

    @operation
    def delete_override(self, job_id: Id, name: str) -> Call[None]:
        """Take a job's own value of a variable away. Its runs have that of the environment or project again.

        Args:
            job_id: The job.
            name: The variable's name.

        Raises:
            InvalidArgument: If the job has no value of its own.
            NotFound: If there is no such job.
            DbtCloudError: If a request fails.
        """
        variables = yield from _of_job(self._account_id, job_id)
        yield from variables.delete_override(job_id, name)


def _of_job(account_id: Id, job_id: Id) -> Call[VariablesOfProject]:
    """Return the variables of the project that a job belongs to."""
    job = yield from endpoints.get_job(account_id, job_id)
    if job.project_id is None:
        raise MalformedResponse.unexpected("dbt Cloud sent a job without 'project_id'", job.data)
    return VariablesOfProject(account_id, job.project_id)
