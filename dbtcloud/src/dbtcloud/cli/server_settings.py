"""From a command's options to what the server takes: projects settled, dbt's environments made."""

import argparse
import asyncio
import os
import ssl
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from dbtcloud.cli import projects
from dbtcloud.core import environment
from dbtcloud.local.config import model, resolve
from dbtcloud.local.config.model import Declaration, DeclaredToken
from dbtcloud.local.config.resolve import OwnProjects
from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.server.settings import ServerSettings
from dbtcloud.local.server.tls import server_tls_context

Progress = Callable[[str], None]


async def assembled(arguments: argparse.Namespace, folder: Path | None, progress: Progress) -> ServerSettings:
    """Return the settings of the server that the options ask for.

    Args:
        arguments: The options of ``serve``.
        folder: Where its state is kept; None keeps nothing.
        progress: Is called with a line for each thing that takes time.

    Raises:
        LocalServerError: What is declared cannot be served.
        RunnerError: A project, its profile or its dbt cannot be had.
    """
    settings = ServerSettings(
        host=arguments.host,
        port=arguments.port,
        token=arguments.token or "",
        schedules=arguments.schedules,
        ssl_context=_ssl_context(arguments),
    ).checked()
    if folder is not None:
        settings = replace(settings, store=str(folder / "dbt_cloud.sqlite"), data_dir=folder)
    declaration = projects.declaration(arguments)
    kept = arguments.keep_artifacts or (declaration and declaration.keep_artifacts)
    if kept:
        settings = replace(settings, keep_artifacts=model.size(kept))
    if declaration is None:
        return settings
    grants = _grants(declaration.tokens)
    own = await settled(declaration, folder, progress)
    return replace(settings, projects=own, grants=grants)


async def settled(declaration: Declaration, folder: Path | None, progress: Progress) -> OwnProjects:
    """Look at the projects, and make the dbt environments that their jobs need."""
    if folder is not None:
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dbtcloud-") as temporary:
        work = Path(temporary) if folder is None else folder / "projects"
        own = await resolve.settle(declaration.projects, work, progress)
    for requirements in own.requirements:
        await environment.make(requirements, progress=progress)
    return own


def _ssl_context(arguments: argparse.Namespace) -> ssl.SSLContext | None:
    if arguments.tls_certificate is None:
        return None
    return server_tls_context(arguments.tls_certificate, arguments.tls_key)


def _grants(tokens: Sequence[DeclaredToken]) -> dict[str, Sequence[str]]:
    grants: dict[str, Sequence[str]] = {}
    for token in tokens:
        value = os.environ.get(token.variable)
        if not value:
            raise LocalServerError(
                f"The token of {', '.join(token.permission_sets)} should be in the environment variable"
                f" {token.variable}, which is not set. Set it, or take the token out of the file."
            )
        grants[value] = token.permission_sets
    return grants
