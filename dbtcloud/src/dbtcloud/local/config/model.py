"""The configuration of a server: projects with their environments and jobs, from options or a file."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EnvironmentConfig:
    """An environment.

    Attributes:
        name: the name.
        target: the target of the profile.
        schema: the schema that replaces that of the target.
        dbt_version: the version of dbt, or None for that of the project.
        type: the `deployment_type`, such as `production` or `staging`.
        branch: the branch of the repository, or None for that of the project.
    """

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
        name: the name.
        environment: the name of the environment, or None for the first one of the project.
        steps: the dbt commands.
        generate_docs: whether to run `dbt docs generate` after the commands.
        run_generate_sources: whether to run `dbt source freshness` before the commands.
        threads: the threads of dbt, or None for those of the target.
        timeout_seconds: the time limit of a run, where 0 is no limit.
        schedule: a cron expression, or None.
        description: a description for people.
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
    """A project, which has either a `project_dir` or a `git`.

    All other settings have defaults, some of which come from the project and its profile.

    Attributes:
        name: the name. The default is that in `dbt_project.yml`.
        project_dir: the folder of the project.
        git: the address of a git repository. It may contain a password.
        branch: the branch of the repository, or None for its default branch.
        subdirectory: the folder of the project within the repository.
        profiles_dir: the folder of `profiles.yml`, or None for the first one that dbt would find.
        duckdb: whether to use a DuckDB file instead of the profile.
        dbt_version: the version of dbt for all environments without their own.
        adapters: the packages of the adapters, or empty for those of the profile.
        packages: further packages to install beside dbt, for Python models. The file calls them `with`.
        pass_env: the names of environment variables that dbt may read, besides `DBT_*`.
        environments: the environments, or empty for one for each target of the profile.
        jobs: the jobs, or empty for one `dbt build` in each environment.
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
    packages: tuple[str, ...] = ()
    pass_env: tuple[str, ...] = ()
    environments: tuple[EnvironmentConfig, ...] = ()
    jobs: tuple[JobConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenConfig:
    """A token of the API.

    Attributes:
        variable: the environment variable that has the token.
        permission_sets: what the token may do, in dbt Cloud's names.
    """

    variable: str
    permission_sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The configuration of one server.

    Attributes:
        projects: the projects.
        tokens: further tokens, besides that of the server.
        keep_artifacts: the total size of the artifacts of finished runs, such as `2GB`.
    """

    projects: tuple[ProjectConfig, ...]
    tokens: tuple[TokenConfig, ...] = ()
    keep_artifacts: str | None = None
