"""The hook's verbs that read accounts, projects, environments and jobs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.hooks.connection.base import DbtCloudBaseHook, as_airflow_exceptions
from airflow_dbt_cloud.hooks.connection.default_account import (
    Id,
    fallback_to_default_account,
    require_account,
)
from airflow_dbt_cloud.hooks.parallel.pages import OnRows, read_pages
from airflow_dbt_cloud.hooks.verbs.own_verb import own_verb
from dbtcloud.client import endpoints
from dbtcloud.client.job_lookup import only_named
from dbtcloud.client.protocol import Request

if TYPE_CHECKING:
    from requests import Response

    from dbtcloud.client.models import Json


class DefinitionVerbs(DbtCloudBaseHook):
    """Reads accounts, projects, environments and jobs.

    `account_id` is the connection's Account ID unless given.
    """

    def list_accounts(self) -> list[Response]:
        """Return the accounts that the token can read."""
        return self._answers(endpoints.list_accounts())

    @fallback_to_default_account
    def get_account(self, account_id: Id | None = None) -> Response:
        """Return one account."""
        return self._answer(endpoints.get_account(require_account(account_id)))

    @fallback_to_default_account
    def list_projects(self, account_id: Id | None = None, name_contains: str | None = None) -> list[Response]:
        """Return projects, optionally only those whose name contains a text."""
        return self._answers(
            endpoints.list_projects(require_account(account_id), name_contains=name_contains)
        )

    @fallback_to_default_account
    def get_project(self, project_id: Id, account_id: Id | None = None) -> Response:
        """Return one project."""
        return self._answer(endpoints.get_project(require_account(account_id), project_id))

    @fallback_to_default_account
    def list_environments(
        self, project_id: Id, *, name_contains: str | None = None, account_id: Id | None = None
    ) -> list[Response]:
        """Return environments of a project, optionally only those whose name contains a text."""
        call = endpoints.list_environments(
            require_account(account_id), project_id, name_contains=name_contains
        )
        return self._answers(call)

    @fallback_to_default_account
    def get_environment(
        self, project_id: Id, environment_id: Id, *, account_id: Id | None = None
    ) -> Response:
        """Return one environment of a project."""
        return self._answer(
            endpoints.get_environment(require_account(account_id), project_id, environment_id)
        )

    @own_verb
    @fallback_to_default_account
    def list_jobs(
        self,
        account_id: Id | None = None,
        order_by: str | None = None,
        project_id: Id | None = None,
        environment_id: Id | None = None,
        name_contains: str | None = None,
        *,
        limit: int | None = None,
        each: OnRows | None = None,
    ) -> list[Response]:
        """Return jobs, filtered by project, environment and a text in their name.

        Args:
            account_id: The account.
            order_by: A field, with `-` before it for descending order.
            project_id: Only jobs of this project.
            environment_id: Only jobs of this environment.
            name_contains: Only jobs with this in their name, in upper or lower case.
            limit: Jobs wanted at most.
            each: As in `list_job_runs`.
        """
        query = {
            "project_id": project_id,
            "environment_id": environment_id,
            "name__icontains": name_contains,
            "order_by": order_by,
        }
        with as_airflow_exceptions():
            request = Request.get(require_account(account_id), "jobs", query=query)
            return read_pages(self._call, request, limit, each)

    @fallback_to_default_account
    def get_job(self, job_id: Id, account_id: Id | None = None) -> Response:
        """Return one job."""
        return self._answer(endpoints.get_job(require_account(account_id), job_id))

    def get_job_by_name(
        self,
        *,
        project_name: str | None = None,
        environment_name: str | None = None,
        job_name: str,
        account_id: Id | None = None,
    ) -> dict[str, Any]:
        """Return a job by its name and those of its project and environment.

        If both are omitted, the job's name must be the only one in the account. The names are looked up by
        `list_projects`, `list_environments` and `list_jobs`.

        Raises:
            DbtCloudResourceLookupError: If nothing has one of the names, or several things have.
        """
        with as_airflow_exceptions():
            if project_name is None and environment_name is None:
                jobs = self.list_jobs(name_contains=job_name, account_id=account_id)
                return dict(only_named("job", job_name, _rows(jobs)))
            projects = self.list_projects(name_contains=project_name, account_id=account_id)
            project = only_named("project", project_name, _rows(projects))["id"]
            environments = self.list_environments(
                project_id=project, name_contains=environment_name, account_id=account_id
            )
            where = f"project {project_name!r}"
            environment = only_named("environment", environment_name, _rows(environments), f" in {where}")
            jobs = self.list_jobs(
                project_id=project,
                environment_id=environment["id"],
                name_contains=job_name,
                account_id=account_id,
            )
            where = f" in environment {environment_name!r} of {where}"
            return dict(only_named("job", job_name, _rows(jobs), where))


def _rows(pages: Iterable[Response]) -> list[Json]:
    return [row for page in pages for row in page.json()["data"] or ()]
