"""The configuration of a server: projects with their environments and jobs, from options or a file."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from dbtcloud.local.model.api_errors import LocalServerError

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


@dataclass(frozen=True, slots=True)
class EnvironmentConfig:
    """An environment: a target of the profile and its overrides."""

    name: str
    target: str = "default"
    schema: str | None = None
    dbt_version: str | None = None
    type: str | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class JobConfig:
    """A job.

    Attributes:
        environment: the name of the environment, or None for the first one of the project.
        schedule: a cron expression, or None.
    """

    name: str
    environment: str | None = None
    steps: tuple[str, ...] = ("dbt build",)
    generate_docs: bool = False
    run_generate_sources: bool = False
    threads: int | None = None
    timeout_seconds: int = 0
    schedule: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """A project with exactly one of `project_dir` and `git`.

    All other settings have defaults that come from the project and its profile.
    """

    name: str | None = None
    project_dir: Path | None = None
    git: str | None = field(default=None, repr=False)
    branch: str | None = None
    subdirectory: str = ""
    profiles_dir: Path | None = None
    duckdb: bool = False
    dbt_version: str | None = None
    adapters: tuple[str, ...] = ()
    pass_env: tuple[str, ...] = ()
    environments: tuple[EnvironmentConfig, ...] = ()
    jobs: tuple[JobConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenConfig:
    """A token with some permission sets, in the environment variable `variable`."""

    variable: str
    permission_sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The configuration of one server."""

    projects: tuple[ProjectConfig, ...]
    tokens: tuple[TokenConfig, ...] = ()
    keep_artifacts: str | None = None


def parse_size(text: str) -> int:
    """Return the bytes of a size such as `500MB` or `2GB`, in powers of 1024.

    Raises:
        LocalServerError: The text is not a size.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if not found:
        raise LocalServerError(f"{text!r} is not a size. Give a number and a unit, for example 500MB or 2GB.")
    return round(float(found[1]) * _UNITS[found[2].upper()])
