"""Errors of how a client is made and used, beside those of its requests."""

from __future__ import annotations

from collections.abc import Sequence

from dbtcloud.client.errors import DbtCloudError


class ClientClosed(DbtCloudError):
    """The client was closed before this call."""

    def __init__(self) -> None:
        super().__init__(
            "The client is closed",
            why="A client sends nothing after close() or the end of its 'with' block",
            fix="Make the call earlier, or make a new client",
        )


class WriteRefused(DbtCloudError):
    """`DBT_CLOUD_READONLY` forbids a request that would change something in dbt Cloud.

    Attributes:
        method: The HTTP method of the request.
        path: Its path.
    """

    def __init__(self, method: str, path: str, variable: str) -> None:
        self.method, self.path = method, path
        super().__init__(
            f"{method} {path} was not sent",
            why=f"It would change something in dbt Cloud, and the variable {variable} allows reading only",
            fix=f"Unset {variable} where changes are wanted",
        )


class CredentialsMissing(DbtCloudError):
    """No token, account or host was given or found.

    Attributes:
        missing: What is missing: "token", "account_id" or "host".
        searched: The places that were searched, in order.
    """

    def __init__(self, missing: str, searched: Sequence[str], *, why: str, fix: str) -> None:
        self.missing, self.searched = missing, tuple(searched)
        super().__init__(f"No {missing} for dbt Cloud was found", why=why, fix=fix)


class RunUnfinished(DbtCloudError):
    """A run has not ended, so it has no outcome yet.

    Attributes:
        run_id: The run.
        status: Its status in a word, such as "Queued".
    """

    def __init__(self, run_id: int, status: str, *, url: str | None = None) -> None:
        self.run_id, self.status = run_id, status
        wait = f"Wait for it: client.runs.wait({run_id}) or get_dbt_cloud_run_status(run_id={run_id})"
        super().__init__(
            f"Run {run_id} has not ended yet",
            why=f"Its status was {status}",
            fix=f"{wait}. See {url}" if url else wait,
        )


class ScheduleNotRestored(DbtCloudError):
    """The schedule of a job was switched off for a while, and may still be off.

    Attributes:
        job_id: The job.
    """

    def __init__(self, job_id: int, name: str, *, why: str | None = None) -> None:
        self.job_id = job_id
        super().__init__(
            f"The schedule of job {job_id} ({name}) may still be off, because it could not be restored",
            why=why,
            fix="Switch it on: in dbt Cloud, or with client.jobs.update"
            f"({job_id}, triggers={{'schedule': True}})",
        )
