"""The settings of a server from the options of ``dbtcloud serve``."""

import argparse
import asyncio
import os
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dbtcloud.cli.project_options import ProjectOptions
from dbtcloud.core.environment import DbtEnvironment, ProgressCallback
from dbtcloud.core.private_files import make_private_folder
from dbtcloud.local.config.model import ServerConfig, TokenConfig
from dbtcloud.local.config.resolve import ResolvedProjects
from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.orchestration.artifact_retention import ArtifactRetention
from dbtcloud.local.server.settings import ServerSettings


async def server_settings(
    arguments: argparse.Namespace, data_dir: Path | None, progress: ProgressCallback
) -> ServerSettings:
    """Resolve the projects, create their dbt environments, and return the settings of the server.

    Args:
        arguments: The options of ``serve``.
        data_dir: The folder for the state of the server, or None to keep no state.
        progress: Receives a line for each thing that takes time.

    Raises:
        LocalServerError: The configuration is not valid.
        RunnerError: A project, its profile or its dbt is not available.
    """
    settings = ServerSettings(
        host=arguments.host,
        port=arguments.port,
        token=arguments.token or "",
        schedules=arguments.schedules,
        ssl_context=_ssl_context(arguments),
    ).checked()
    if data_dir is not None:
        settings = replace(settings, store=str(data_dir / "dbt_cloud.sqlite"), data_dir=data_dir)
    config = ProjectOptions(arguments).server_config()
    keep_artifacts = arguments.keep_artifacts or (config and config.keep_artifacts)
    if keep_artifacts:
        settings = replace(settings, keep_artifacts=ArtifactRetention.parse_size(keep_artifacts))
    if config is None:
        return settings
    grants = _grants(config.tokens)
    projects = await _resolve_projects(config, data_dir, progress)
    return replace(settings, projects=projects, grants=grants)


async def _resolve_projects(
    config: ServerConfig, data_dir: Path | None, progress: ProgressCallback
) -> ResolvedProjects:
    if data_dir is not None:
        # Repositories may be private, even if other users may read the folder.
        await asyncio.to_thread(make_private_folder, data_dir / "projects")
    with tempfile.TemporaryDirectory(prefix="dbtcloud-") as temporary:
        work_dir = Path(temporary) if data_dir is None else data_dir / "projects"
        projects = await ResolvedProjects.resolve(config.projects, work_dir, progress)
    for requirements in projects.requirements:
        await DbtEnvironment.create(requirements, progress=progress)
    return projects


def _ssl_context(arguments: argparse.Namespace) -> ssl.SSLContext | None:
    if arguments.tls_certificate is None:
        return None
    return ServerSettings.tls_context(arguments.tls_certificate, arguments.tls_key)


def _grants(tokens: Sequence[TokenConfig]) -> dict[str, Sequence[str]]:
    grants: dict[str, Sequence[str]] = {}
    for token in tokens:
        value = os.environ.get(token.variable)
        if not value:
            raise LocalServerError(
                f"The environment variable {token.variable} is not set. It must contain the token with the"
                f" permission sets {', '.join(token.permission_sets)}."
                " Set it, or remove the token from the file."
            )
        grants[value] = token.permission_sets
    return grants
