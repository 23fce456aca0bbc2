"""The options of ``dbtcloud serve`` for the dbt projects."""

import argparse
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbtcloud.local.config.model import ServerConfig

_NEED_A_PROJECT = ("branch", "subdirectory", "profiles_dir", "duckdb", "dbt_version", "adapter", "pass_env")


def add_project_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    group = parser.add_argument_group(
        "your projects", "Without these options, the server has a sample project."
    )
    which = group.add_mutually_exclusive_group()
    which.add_argument("--project-dir", type=Path, metavar="DIR", help="folder of a dbt project")
    which.add_argument("--git", metavar="URL", help="git repository of a dbt project")
    which.add_argument(
        "--config", type=Path, metavar="FILE", help="YAML file that configures several projects"
    )
    group.add_argument("--branch", help="branch to run (default: the default branch of the repository)")
    group.add_argument("--subdirectory", metavar="PATH", help="folder of the project within the repository")
    group.add_argument(
        "--profiles-dir",
        type=Path,
        metavar="DIR",
        help="folder of profiles.yml (default: the project, else $DBT_PROFILES_DIR, else ~/.dbt)",
    )
    group.add_argument("--duckdb", action="store_true", help="use a DuckDB file instead of your profile")
    group.add_argument("--dbt-version", metavar="VERSION", help="for example 1.11 (default: the newest)")
    group.add_argument(
        "--adapter",
        action="append",
        metavar="PACKAGE",
        help="for example dbt-postgres (default: the adapters of the profile); repeat it for several",
    )
    group.add_argument(
        "--pass-env",
        action="append",
        metavar="NAME",
        help="environment variable that dbt may read besides DBT_*; repeat it for several",
    )


def check_project_options(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Exit with a usage message if an option of a project is used without a project."""
    if arguments.project_dir or arguments.git:
        return
    for name in _NEED_A_PROJECT:
        if getattr(arguments, name):
            parser.error(f"--{name.replace('_', '-')} needs --project-dir or --git")


def read_server_config(arguments: argparse.Namespace) -> "ServerConfig | None":
    """Return the configuration in the options or in the file, or None for the sample project.

    Raises:
        LocalServerError: The file cannot be read, or its content is not valid.
    """
    from dbtcloud.local.config.model import ProjectConfig, ServerConfig
    from dbtcloud.local.config.yaml_file import read_config_file

    if arguments.config:
        return read_config_file(arguments.config)
    if not arguments.project_dir and not arguments.git:
        return None
    project = ProjectConfig(
        project_dir=arguments.project_dir,
        git=arguments.git,
        branch=arguments.branch,
        subdirectory=arguments.subdirectory or "",
        profiles_dir=arguments.profiles_dir and arguments.profiles_dir.expanduser().absolute(),
        duckdb=arguments.duckdb,
        dbt_version=arguments.dbt_version,
        adapters=tuple(arguments.adapter or ()),
        pass_env=tuple(arguments.pass_env or ()),
    )
    return ServerConfig((project,))


def state_folder_name(arguments: argparse.Namespace) -> str:
    """Return the name of the folder for the state of a server. Each project or file has its own."""
    path = arguments.project_dir or arguments.config
    if path is None and not arguments.git:
        return "local"
    identity = (
        str(path.expanduser().resolve()) if path else f"{arguments.git}\n{arguments.subdirectory or ''}"
    )
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(identity.splitlines()[0]).stem)
    return f"local-{name}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def project_arguments(arguments: argparse.Namespace) -> list[str]:
    """Return the options as arguments of a command line."""
    result: list[str] = []
    for name in ("project_dir", "git", "config", *_NEED_A_PROJECT):
        value: Any = getattr(arguments, name)
        option = f"--{name.replace('_', '-')}"
        if value is True:
            result.append(option)
        elif value:
            values = value if isinstance(value, list) else [value]
            result += [f"{option}={entry}" for entry in values]
    return result
