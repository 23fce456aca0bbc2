"""The jobs of an account."""

from __future__ import annotations

from typing import Unpack

from dbtcloud.client import endpoints
from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.keyed_start import KeyedStart
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Job, Run
from dbtcloud.client.protocol import Call, Id, Request, identifier
from dbtcloud.client.run_start import start_run
from dbtcloud.client.transport.time_limit import seconds_left
from dbtcloud.resources.arguments import checked_fields, checked_text
from dbtcloud.resources.faces import F, Resource, listing, operation
from dbtcloud.resources.pages import Listing
from dbtcloud.resources.run_overrides import RunOverrides


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
        return (yield from endpoints.get_job(self._account_id, _job_id(job_id)))

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

    @operation
    def run(
        self,
        job_id: Id,
        *,
        cause: str,
        once_key: str | None = None,
        **overrides: Unpack[RunOverrides],
    ) -> Call[Run]:
        """Start a run of a job exactly once, even if the answer gets lost ("Trigger Job Run").

        The cause of the run gets a marker at its end. If the answer leaves open whether the run has started,
        the job's runs are searched for that marker, for three minutes before the request is sent again. A
        `time_limit` shortens the search. The call does not wait for the end of the run.

        A `once_key` starts one run for all calls with that key, also in other processes and on later days. A
        call with a key that has been used returns its run, whatever became of it. Keys are searched for among
        the job's runs of the 14 days before its newest run. That takes a request for each 100 of these runs,
        and one more after the start. If two calls at the very same moment start a run each, the one with the
        later run cancels it and returns the earlier run. Both runs stay only if dbt Cloud does not list the
        earlier one yet.

        Args:
            job_id: The job.
            cause: Why the run is started. dbt Cloud takes 255 characters: a longer cause is cut, its marker
                stays.
            once_key: A text that identifies this start for this job, such as "orders 2026-11-28".
            overrides: What the run has instead of the job's settings (see `RunOverrides`).

        Returns:
            The run, which is usually queued.

        Raises:
            InvalidArgument: If an argument cannot be used, or the run with the key has other overrides.
            NotFound: If there is no such job.
            AmbiguousStart: If it is not clear whether a run was started. With a `once_key`, the same call
                can be repeated later.
            DbtCloudError: If dbt Cloud refuses to start the run, or a request fails.
        """
        job, text = _job_id(job_id), checked_text("cause", cause)
        body = checked_fields(RunOverrides, overrides, "an override of a run")
        if once_key is not None:
            key = checked_text("once_key", once_key)
            start = KeyedStart(int(self._account_id), job, key, text, body)
            return (yield from start.start(time_left=seconds_left))
        payload = {**body, "cause": Marker.random().add_to(text)}
        return (yield from start_run(self._account_id, job, payload, time_left=seconds_left))


def _job_id(value: object) -> int:
    """Return the id of a job.

    Raises:
        InvalidArgument: If it is not a number.
    """
    try:
        return int(identifier(value, "job id"))
    except InvalidArgument as error:
        raise InvalidArgument(
            error.what, why=error.why, fix="Give the job's id, which jobs.find(job=…) returns for a name"
        ) from None
