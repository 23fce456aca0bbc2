"""Switch a job's schedule off during a `with` block."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from dbtcloud.client import endpoints
from dbtcloud.client.definitions.job_definition import change_job
from dbtcloud.client.errors import DbtCloudError
from dbtcloud.client.models import Job
from dbtcloud.client.protocol import Call, Id, Sleep
from dbtcloud.resources.base.client_errors import ScheduleNotRestored

log = logging.getLogger(__name__)

RESTORE_SECONDS = 180.0
"""How long it may take to switch the schedule on again."""

_DELAYS = (2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds before the requests that switch it on are sent again, beside their own retries."""


@dataclass(slots=True)
class SchedulePause:
    """A block in which a job has no schedule.

    Attributes:
        account_id: The account.
        job_id: The job.
    """

    account_id: Id
    job_id: Id
    _switched_off: Job | None = field(default=None, init=False)

    def begin(self) -> Call[Job]:
        """Switch the schedule off if it is on, and return the job."""
        job = yield from endpoints.get_job(self.account_id, self.job_id)
        if not job.scheduled:
            return job
        self._switched_off = job  # even if the answer gets lost
        return (yield from self._switch(job, on=False))

    def end(self, error: BaseException | None) -> Call[None]:
        """Switch the schedule on again if `begin` may have switched it off.

        Args:
            error: The error that ended the block, or None. It gets a note if the schedule cannot be restored.

        Raises:
            ScheduleNotRestored: If there is no error of the block, and the schedule cannot be restored.
        """
        job = self._switched_off
        if job is None:
            return
        try:
            yield from self._restore()
        except DbtCloudError as failure:
            problem = ScheduleNotRestored(job.id, job.name, why=str(failure))
            log.error("%s", problem)  # noqa: TRY400 -- the message says it all
            if error is None:
                raise problem from failure
            error.add_note(str(problem))
        except BaseException:  # such as GeneratorExit, when the program is interrupted
            log.error("%s", ScheduleNotRestored(job.id, job.name, why="The program was interrupted"))  # noqa: TRY400
            raise

    def _restore(self) -> Call[None]:
        """Switch the schedule on. What somebody else has changed meanwhile stays."""
        for delay in (*_DELAYS, None):
            try:
                job = yield from endpoints.get_job(self.account_id, self.job_id)
                if not job.scheduled:
                    yield from self._switch(job, on=True)
            except DbtCloudError as failure:
                if delay is None or not failure.retryable:
                    raise
                log.warning("%s Job %s gets its schedule back in %g s.", failure, self.job_id, delay)
                yield Sleep(delay)
            else:
                return

    def _switch(self, job: Job, *, on: bool) -> Call[Job]:
        changed = yield from change_job(self.account_id, job, {"triggers": {"schedule": on}})
        log.info("The schedule of job %s (%s) is %s.", job.id, job.name, "on" if on else "off")
        return changed
