"""How a server is set up, checked before anything is opened."""

import secrets
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dbtcloud.local.config.resolve import OwnProjects
from dbtcloud.local.control.tokens import LOOPBACK_NAMES
from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.orchestration.artifact_retention import DEFAULT_BYTES
from dbtcloud.local.orchestration.run_queue import Execute


@dataclass(frozen=True, slots=True)
class Settings:
    """Where and over what the local dbt Cloud serves.

    Attributes:
        host: the interface; anything but loopback needs a token given by hand.
        port: 0 takes a free one.
        token: made up when None.
        store: a SQLite file, or `:memory:`.
        data_dir: where checkouts, databases and artifacts of real runs lie; None is a folder that goes away.
        project_dir: the dbt project behind the default jobs; None is the sample.
        ssl_context: serves https when given.
        execute: executes real runs; None is real dbt.
        schedules: whether cron lines and job completion triggers of jobs start runs.
        own: projects to serve in place of the sample.
        keep_artifacts: bytes that finished runs' files may take.
        grants: permission sets by further tokens.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str = field(default="", repr=False)
    store: str = ":memory:"
    data_dir: Path | None = None
    project_dir: Path | None = None
    ssl_context: ssl.SSLContext | None = None
    execute: Execute | None = None
    schedules: bool = False
    own: OwnProjects | None = None
    keep_artifacts: int = DEFAULT_BYTES
    grants: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK_NAMES

    def checked(self) -> "Settings":
        """Return the settings with a token in any case.

        Raises:
            LocalServerError: for a host that others can reach, with no token of one's own choice.
        """
        if self.token:
            return self
        if not self.on_loopback:
            raise LocalServerError(
                f"The local dbt Cloud was asked to listen on {self.host}, where other machines reach it, "
                "without a token of your own. Give one with --token, or leave --host out for 127.0.0.1."
            )
        return replace(self, token=f"local_{secrets.token_urlsafe(24)}")
