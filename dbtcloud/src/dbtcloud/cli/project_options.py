"""The options of ``dbtcloud serve`` for the dbt projects."""

import argparse
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbtcloud.local.config.model import ServerConfig

_NEED_A_PROJECT = (
    "branch",
    "subdirectory",
    "profiles_dir",
    "duckdb",
    "dbt_version",
    "adapter",
    "with",
    "pass_env",
)


@dataclass(frozen=True, slots=True)
class ProjectOptions:
    """The options for the dbt projects of one server.

    Attributes:
        arguments: All arguments of the command.
    """

    arguments: argparse.Namespace

    @staticmethod
    def add_to(parser: argparse.ArgumentParser) -> None:
        """Add the options to a command."""
        group = parser.add_argument_group(
            "your projects", "Without these options, the server has a sample project on DuckDB."
        )
        which = group.add_mutually_exclusive_group()
        which.add_argument("--project-dir", type=Path, metavar="DIR", help="folder of a dbt project")
        which.add_argument("--git", metavar="URL", help="git repository of a dbt project")
        which.add_argument(
            "--config", type=Path, metavar="FILE", help="YAML file that configures one or more projects"
        )
        group.add_argument(
            "--branch", help="branch to check out (default: the default branch of the repository)"
        )
        group.add_argument(
            "--subdirectory", metavar="PATH", help="folder of the project within the repository"
        )
        group.add_argument(
            "--profiles-dir",
            type=Path,
            metavar="DIR",
            help="folder of profiles.yml (default: the project, else $DBT_PROFILES_DIR, else ~/.dbt)",
        )
        group.add_argument("--duckdb", action="store_true", help="use a DuckDB file instead of your profile")
        group.add_argument(
            "--dbt-version",
            metavar="VERSION",
            help="version of dbt, such as 1.11 (default: the newest supported)",
        )
        group.add_argument(
            "--adapter",
            action="append",
            metavar="PACKAGE",
            help="adapter to install, such as dbt-postgres (default: the adapters of the profile);"
            " repeat the option for several",
        )
        group.add_argument(
            "--with",
            action="append",
            metavar="PACKAGE",
            help="package to install beside dbt, such as pandas, for Python models; repeat the option for"
            " several",
        )
        group.add_argument(
            "--pass-env",
            action="append",
            metavar="NAME",
            help="environment variable that dbt may read, besides DBT_*; repeat the option for several",
        )

    def check(self, parser: argparse.ArgumentParser) -> None:
        """Exit with a usage message if an option of a project is used without a project."""
        if self.arguments.project_dir or self.arguments.git:
            return
        for name in _NEED_A_PROJECT:
            if getattr(self.arguments, name):
                parser.error(f"--{name.replace('_', '-')} needs --project-dir or --git")

    def server_config(self) -> "ServerConfig | None":
        """Return the configuration in the options or in the file, or None for the sample project.

        Raises:
            LocalServerError: The file cannot be read, or its content is not valid.
        """
        from dbtcloud.local.config.model import ProjectConfig, ServerConfig
        from dbtcloud.local.config.yaml_file import read_config_file

        given = self.arguments
        if given.config:
            return read_config_file(given.config)
        if not given.project_dir and not given.git:
            return None
        project = ProjectConfig(
            project_dir=given.project_dir,
            git=given.git,
            branch=given.branch,
            subdirectory=given.subdirectory or "",
            profiles_dir=given.profiles_dir and given.profiles_dir.expanduser().absolute(),
            duckdb=given.duckdb,
            dbt_version=given.dbt_version,
            adapters=tuple(given.adapter or ()),
            packages=tuple(getattr(given, "with") or ()),
            pass_env=tuple(given.pass_env or ()),
        )
        return ServerConfig((project,))

    @property
    def state_folder_name(self) -> str:
        """The name of the folder for the state of the server. Each project or file has its own."""
        given = self.arguments
        path = given.project_dir or given.config
        if path is None and not given.git:
            return "local"
        # Two projects of one repository are two servers. Two branches of one project are one.
        identity = str(path.expanduser().resolve()) if path else f"{given.git}\n{given.subdirectory or ''}"
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(identity.splitlines()[0]).stem)
        return f"local-{name}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"

    def as_arguments(self) -> list[str]:
        """Return the options as arguments of a command line, for a server in the background."""
        result: list[str] = []
        for name in ("project_dir", "git", "config", *_NEED_A_PROJECT):
            value: Any = getattr(self.arguments, name)
            option = f"--{name.replace('_', '-')}"
            if value is True:
                result.append(option)
            elif value:
                values = value if isinstance(value, list) else [value]
                result += [f"{option}={entry}" for entry in values]
        return result
