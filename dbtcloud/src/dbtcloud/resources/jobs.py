"""The jobs of an account."""

from __future__ import annotations

from dbtcloud.client import endpoints
from dbtcloud.client.models import Job
from dbtcloud.client.protocol import Call, Id, Request
from dbtcloud.resources.faces import F, Resource, listing, operation
from dbtcloud.resources.pages import Listing


class Jobs(Resource[F]):
    """The jobs of an account (API v2, "Jobs")."""

    @operation
    def get(self, job_id: Id) -> Call[Job]:
        """Get a job.

        Args:
            job_id: The job.

        Raises:
            NotFound: If there is no such job.
            DbtCloudError: If the request fails.
        """
        return (yield from endpoints.get_job(self._account_id, job_id))

    @listing
    def list(
        self,
        *,
        project_id: Id | None = None,
        environment_id: Id | None = None,
        name_contains: str | None = None,
        limit: int | None = None,
    ) -> Listing[Job]:
        """List jobs.

        Args:
            project_id: Only those of this project.
            environment_id: Only those of this environment.
            name_contains: Only those with this in their name, upper or lower case.
            limit: Largest number of jobs; all if None.
        """
        query = {"project_id": project_id, "environment_id": environment_id, "name__icontains": name_contains}
        return Listing(Request.get(self._account_id, "jobs", query=query), Job.parse, limit)
