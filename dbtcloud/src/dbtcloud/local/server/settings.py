"""The settings of a server and its TLS context, checked before any port is opened."""

import secrets
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from dbtcloud.local.config.resolve import ResolvedProjects
from dbtcloud.local.control.tokens import LOOPBACK_HOSTS
from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.orchestration.artifact_retention import DEFAULT_RETENTION_BYTES
from dbtcloud.local.orchestration.run_queue import Execute


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The settings of a local dbt Cloud.

    Attributes:
        host: the interface. Any but loopback requires a token of your own.
        port: the port; 0 takes a free one.
        token: the token; empty generates one.
        store: a SQLite file, or `:memory:`.
        data_dir: the folder of checkouts, databases and artifacts of real runs; None is a temporary one.
        project_dir: the dbt project of the default jobs; None is the bundled sample.
        ssl_context: the TLS context; None serves plain http.
        execute: executes runs; None is real dbt.
        schedules: whether cron expressions and job completion triggers of jobs start runs.
        projects: the projects to serve in place of the sample.
        keep_artifacts: how many bytes the files of finished runs may take.
        grants: the permission sets of further tokens, by token.
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
    projects: ResolvedProjects | None = None
    keep_artifacts: int = DEFAULT_RETENTION_BYTES
    grants: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)

    @property
    def on_loopback(self) -> bool:
        """Return whether only this machine can reach the server."""
        return self.host in LOOPBACK_HOSTS

    def checked(self) -> Self:
        """Return the settings, with a generated token when there is none.

        Raises:
            LocalServerError: Other machines can reach the host, and there is no token.
        """
        if self.token:
            return self
        if not self.on_loopback:
            raise LocalServerError(
                f"Other machines can reach the local dbt Cloud on {self.host}, so it requires a token of your"
                " own. Give one with --token, or leave out --host to listen on 127.0.0.1 only."
            )
        return replace(self, token=f"local_{secrets.token_urlsafe(24)}")

    @staticmethod
    def tls_context(certificate: Path, key: Path | None = None) -> ssl.SSLContext:
        """Return the TLS context of a server.

        Args:
            certificate: a PEM file with the certificate, followed by those that lead to its authority.
            key: a PEM file with its private key, without a password; None if the first file contains it.

        Raises:
            LocalServerError: A file cannot be read, or the two do not belong together.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # Without a password OpenSSL would ask for one on the terminal and wait. An empty one fails.
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ssl.SSLError) as error:
            files = f"{certificate} and {key}" if key else str(certificate)
            raise LocalServerError(
                f"HTTPS requires a certificate and its private key, but {files} cannot be used: {error}."
                " Give PEM files that belong together, the key without a password."
                " 'python -m trustme' (pip install trustme) makes such files for this machine."
            ) from error
        return context
