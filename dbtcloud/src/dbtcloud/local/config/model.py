"""What is to be served: projects, their environments and jobs, as options or a file declare them."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from dbtcloud.local.model.api_errors import LocalServerError

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


@dataclass(frozen=True, slots=True)
class DeclaredEnvironment:
    """An environment: a target of the profile, and what overrides it."""

    name: str
    target: str = "default"
    schema: str | None = None
    dbt_version: str | None = None
    type: str | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class DeclaredJob:
    """A job; `environment` is a name, None for the project's first; `schedule` is a cron line."""

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
class DeclaredProject:
    """A project: exactly one of `project_dir` and `git`; what is left out is found out from the project."""

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
    environments: tuple[DeclaredEnvironment, ...] = ()
    jobs: tuple[DeclaredJob, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredToken:
    """A token of fewer permissions; `variable` is the environment variable that holds it."""

    variable: str
    permission_sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declaration:
    """Everything that one server serves."""

    projects: tuple[DeclaredProject, ...]
    tokens: tuple[DeclaredToken, ...] = ()
    keep_artifacts: str | None = None


def size(text: str) -> int:
    """Read a number of bytes such as `500MB` or `2GB` (powers of 1024).

    Raises:
        LocalServerError: It is no size.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if not found:
        raise LocalServerError(
            f"{text!r} is no size: a number and a unit are needed. Give one such as 500MB or 2GB."
        )
    return round(float(found[1]) * _UNITS[found[2].upper()])
