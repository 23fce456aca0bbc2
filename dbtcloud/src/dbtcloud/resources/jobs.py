"""The jobs of an account."""

from __future__ import annotations

from typing import Unpack

from dbtcloud.client import endpoints
from dbtcloud.client.definitions.changes import delete_object
from dbtcloud.client.definitions.job_definition import create_job, update_job
from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.job_lookup import find_job
from dbtcloud.client.keyed_start import KeyedStart
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Job, Run
from dbtcloud.client.protocol import Call, Id, Request, identifier
from dbtcloud.client.run_start import rerun_once, start_run
from dbtcloud.client.transport.time_limit import seconds_left
from dbtcloud.resources.arguments.job_fields import JobChanges, JobFields
from dbtcloud.resources.arguments.run_overrides import RunOverrides
from dbtcloud.resources.arguments.values import checked_fields, checked_text, optional_id
from dbtcloud.resources.base.faces import F, Resource, Scope, listing, operation, scope
from dbtcloud.resources.base.pages import Listing
from dbtcloud.resources.schedule_pause import RESTORE_SECONDS, SchedulePause


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

        Raises:
            InvalidArgument: If an id is not a number.
        """
        query = {
            "project_id": optional_id(project_id, "project id"),
            "environment_id": optional_id(environment_id, "environment id"),
            "name__icontains": name_contains,
        }
        return Listing(Request.get(self._account_id, "jobs", query=query), Job.parse, limit)

    @operation
    def find(self, *, job: str, project: str | None = None, environment: str | None = None) -> Call[Job]:
        """Find a job by its name.

        Args:
            job: The whole name, with its case.
            project: The name of its project. Any counts if None, and the job must be the only one.
            environment: The name of its environment. Any counts if None.

        Raises:
            LookupFailed: If no object has one of the names, or several have it. The message lists these.
            InvalidArgument: If a name is not a text.
            DbtCloudError: If a request fails.
        """
        places = {"project": project, "environment": environment}
        project, environment = (
            value if value is None else checked_text(name, value) for name, value in places.items()
        )
        return (yield from find_job(self._account_id, project, environment, checked_text("job", job)))

    @operation
    def create(
        self, name: str, *, project_id: Id, environment_id: Id, **fields: Unpack[JobFields]
    ) -> Call[Job]:
        """Create a job ("Create Job"). Unless its fields say otherwise, nothing but a request starts it.

        Args:
            name: Its name.
            project_id: Its project.
            environment_id: Its environment, which is one of the project.
            fields: Its other fields (see `JobFields`), such as `execute_steps`. Any other field of the API is
                sent as well.

        Raises:
            InvalidArgument: If the name or an id cannot be used.
            BadRequest: If dbt Cloud refuses a field.
            NotFound: If there is no such project or environment.
            DbtCloudError: If the request fails. It is not sent twice, so after a lost answer the job may
                exist.
        """
        place = {
            "project_id": int(identifier(project_id, "project id")),
            "environment_id": int(identifier(environment_id, "environment id")),
        }
        return (
            yield from create_job(self._account_id, {"name": checked_text("name", name), **place, **fields})
        )

    @operation
    def delete(self, job_id: Id) -> Call[None]:
        """Delete a job ("Destroy Job"). Its unfinished runs are cancelled.

        Args:
            job_id: The job.

        Raises:
            NotFound: If there is no such job.
            DbtCloudError: If the request fails.
        """
        yield from delete_object(self._account_id, f"jobs/{_job_id(job_id)}/", version="v2")

    @operation
    def update(self, job_id: Id, **changes: Unpack[JobChanges]) -> Call[Job]:
        """Change fields of a job ("Update Job"). It keeps all others.

        dbt Cloud takes a job only as a whole. So the job is read, and sent with the changes. What somebody
        else changes between these two requests is lost.

        Args:
            job_id: The job.
            changes: The fields that change (see `JobChanges`). None empties a field. Of an object such as
                `triggers`, the fields that are not given stay. Any other field of the API is sent as well.

        Returns:
            The changed job.

        Raises:
            NotFound: If there is no such job.
            BadRequest: If dbt Cloud refuses a field.
            DbtCloudError: If a request fails.
        """
        return (yield from update_job(self._account_id, _job_id(job_id), {**changes}))

    @scope
    def disable_schedule(self, job_id: Id) -> Scope[Job]:
        """Switch the schedule of a job off during a `with` block.

        The block gets the job. Its schedule is on again after the block, if it was on before: also after an
        error, Ctrl-C or the cancellation of the task. What else somebody changes in the job meanwhile stays.
        If dbt Cloud cannot be reached, this is tried for three minutes. A program that is killed leaves the
        schedule off. Of two blocks for the same job that overlap, the first one to begin decides.

        Args:
            job_id: The job.

        Raises:
            NotFound: If there is no such job.
            ScheduleNotRestored: If the schedule cannot be switched on again. If the block has an error of its
                own, that error is raised, with a note. The log has the message in both cases.
            DbtCloudError: If a request before the block fails.
        """
        pause = SchedulePause(self._account_id, _job_id(job_id))
        return Scope(pause.begin, pause.end, RESTORE_SECONDS)

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

    @operation
    def rerun(self, job_id: Id) -> Call[Run]:
        """Retry the last run of a job from its point of failure ("Rerun Job").

        If the last run has not failed, dbt Cloud starts a new run.

        Args:
            job_id: The job.

        Returns:
            The run that dbt Cloud has started.

        Raises:
            NotFound: If there is no such job.
            AmbiguousStart: If the answer leaves open whether a run was started. The request is not sent
                twice.
            DbtCloudError: If dbt Cloud refuses, or cannot be reached.
        """
        return (yield from rerun_once(self._account_id, _job_id(job_id)))


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
