"""The options that say which dbt projects are meant, and what follows from them."""

import argparse
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbtcloud.local.config.model import Declaration

_DEPENDENT = ("branch", "subdirectory", "profiles_dir", "duckdb", "dbt_version", "adapter", "pass_env")


def add_project_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a command; without any of them the sample project is meant."""
    group = parser.add_argument_group("your own projects", "By default a sample project is served.")
    which = group.add_mutually_exclusive_group()
    which.add_argument("--project-dir", type=Path, metavar="DIR", help="folder of a dbt project")
    which.add_argument("--git", metavar="URL", help="git repository of a dbt project")
    which.add_argument("--config", type=Path, metavar="FILE", help="YAML file that declares several projects")
    group.add_argument("--branch", help="branch of the repository (default: its own)")
    group.add_argument("--subdirectory", metavar="PATH", help="folder of the project within the repository")
    group.add_argument(
        "--profiles-dir",
        type=Path,
        metavar="DIR",
        help="folder of profiles.yml (default: the project's, else $DBT_PROFILES_DIR, else ~/.dbt)",
    )
    group.add_argument("--duckdb", action="store_true", help="use no profile, but a DuckDB file")
    group.add_argument("--dbt-version", metavar="VERSION", help="such as 1.11 (default: the newest of them)")
    group.add_argument(
        "--adapter",
        action="append",
        metavar="PACKAGE",
        help="such as dbt-postgres (default: what the profile takes); may be given several times",
    )
    group.add_argument(
        "--pass-env",
        action="append",
        metavar="NAME",
        help="environment variable that dbt gets too, beside DBT_*; may be given several times",
    )


def check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """End with a usage message where an option has nothing that it could apply to."""
    if arguments.project_dir or arguments.git:
        return
    for name in _DEPENDENT:
        if getattr(arguments, name):
            parser.error(f"--{name.replace('_', '-')} needs --project-dir or --git beside it")


def declaration(arguments: argparse.Namespace) -> "Declaration | None":
    """Return what is declared; None is the sample project.

    Raises:
        LocalServerError: The file cannot be read, or holds what it should not.
    """
    from dbtcloud.local.config import yaml_file
    from dbtcloud.local.config.model import Declaration, DeclaredProject

    if arguments.config:
        return yaml_file.read(arguments.config)
    if not arguments.project_dir and not arguments.git:
        return None
    project = DeclaredProject(
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
    return Declaration((project,))


def own_folder(arguments: argparse.Namespace) -> str:
    """Return the name of the folder that keeps the state of what is served: each has its own."""
    path = arguments.project_dir or arguments.config
    if path is None and not arguments.git:
        return "local"
    identity = (
        str(path.expanduser().resolve()) if path else f"{arguments.git}\n{arguments.subdirectory or ''}"
    )
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(identity.splitlines()[0]).stem)
    return f"local-{name}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def words(arguments: argparse.Namespace) -> list[str]:
    """Return the options as they would be written on a command line."""
    found: list[str] = []
    for name in ("project_dir", "git", "config", *_DEPENDENT):
        value: Any = getattr(arguments, name)
        option = f"--{name.replace('_', '-')}"
        if value is True:
            found.append(option)
        elif value:
            given = value if isinstance(value, list) else [value]
            found += [f"{option}={entry}" for entry in given]
    return found
