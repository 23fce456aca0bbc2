"""Resolve the configured projects: fetch their sources, read their profiles, and define their jobs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from dbtcloud.core import command_line, process
from dbtcloud.core.environment import ProgressCallback
from dbtcloud.core.profiles import UserProfile
from dbtcloud.core.project import DbtProject
from dbtcloud.core.requirements import DUCKDB, resolve_requirements
from dbtcloud.core.source import ProjectSource
from dbtcloud.local.config.model import EnvironmentConfig, JobConfig, ProjectConfig
from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.model.run_plan import ProjectSetup

_DEFAULT_THREADS = 4


@dataclass(frozen=True, slots=True)
class ResolvedProjects:
    """The projects of a server.

    Attributes:
        document: a seed document (see `dbtcloud.local.control.seed.seed`).
        setups: the setup of each project, by its id in the document.
        requirements: the requirements of each dbt environment that the jobs need.
    """

    document: dict[str, Any]
    setups: dict[int, ProjectSetup]
    requirements: tuple[tuple[str, ...], ...]

    @classmethod
    async def resolve(
        cls, projects: Sequence[ProjectConfig], work_dir: Path, progress: ProgressCallback
    ) -> Self:
        """Fetch each project, read its profile, and define its environments and jobs.

        Args:
            projects: the configured projects.
            work_dir: the folder for git repositories.
            progress: receives a line for each thing that takes time, and hints for the user.

        Raises:
            LocalServerError: the configuration of a project is not valid.
            RunnerError: a project or its profile is not available, or its dbt cannot be installed.
        """
        resolved = [
            await _resolve_project(config, work_dir / str(number), progress)
            for number, config in enumerate(projects)
        ]
        names = [entry.name for entry in resolved]
        if duplicate := next((name for name in names if names.count(name) > 1), None):
            raise LocalServerError(
                f"Two projects have the name {duplicate!r}. Give one of them another name."
            )
        return cls._of_resolved(resolved)

    @classmethod
    def _of_resolved(cls, resolved: Sequence["_ResolvedProject"]) -> Self:
        document: dict[str, Any] = {
            "accounts": [{"id": 1, "name": "Local"}],
            "projects": [],
            "environments": [],
            "jobs": [],
        }
        requirements: dict[tuple[str, ...], None] = {}
        for project_id, entry in enumerate(resolved, start=1):
            document["projects"].append({"id": project_id, "name": entry.name})
            ids = {}
            for environment in entry.environments:
                needed = resolve_requirements(
                    environment.dbt_version, entry.setup.adapters, entry.setup.packages
                )
                requirements[needed] = None
                ids[environment.name] = len(document["environments"]) + 1
                document["environments"].append(_environment(environment, ids[environment.name], project_id))
            for job in entry.jobs:
                document["jobs"].append(_job(job, entry, ids, project_id) | {"id": len(document["jobs"]) + 1})
        return cls(
            document, dict(enumerate((entry.setup for entry in resolved), start=1)), tuple(requirements)
        )


@dataclass(frozen=True, slots=True)
class _ResolvedProject:
    """A project whose settings are all known."""

    name: str
    setup: ProjectSetup
    environments: tuple[EnvironmentConfig, ...]
    jobs: tuple[JobConfig, ...]
    profile: UserProfile | None


async def _resolve_project(
    config: ProjectConfig, work_dir: Path, progress: ProgressCallback
) -> _ResolvedProject:
    source = _source(config)
    if config.git:
        progress(f"Fetching {source}")
    folder = (await source.fetch(work_dir)).folder
    dbt_project = DbtProject.read(folder)
    profile = None if config.duckdb else UserProfile.find(folder, config.profiles_dir)
    environments = config.environments or _default_environments(profile)
    if profile is not None:
        _check_targets(profile, environments)
    setup = ProjectSetup(
        source,
        config.adapters or (profile.adapters() if profile else (DUCKDB,)),
        config.packages,
        uses_profile=profile is not None,
        profiles_dir=config.profiles_dir,
        pass_env=config.pass_env,
    )
    if profile is not None:
        _report_missing_variables(profile, setup, progress)
        if config.git is None:  # There each environment has its own checkout.
            _report_shared_databases(profile, environments, progress)
    environments = tuple(
        replace(environment, dbt_version=environment.dbt_version or config.dbt_version)
        for environment in environments
    )
    name = config.name or dbt_project.name or folder.name
    return _ResolvedProject(name, setup, environments, config.jobs or _default_jobs(environments), profile)


def _source(config: ProjectConfig) -> ProjectSource:
    if (config.project_dir is None) == (config.git is None):
        project = f"The project {config.name!r}" if config.name else "A project without a name"
        found = "neither project_dir nor git" if config.git is None else "both project_dir and git"
        raise LocalServerError(f"{project} has {found}. Give one of them.")
    if config.git is not None:
        return ProjectSource(url=config.git, branch=config.branch, subdirectory=config.subdirectory)
    if config.branch or config.subdirectory:
        raise LocalServerError(
            "A project_dir cannot have a branch or a subdirectory, because its files are used as they are."
            " Remove these, or replace project_dir with git and the address of the repository."
        )
    assert config.project_dir is not None
    return ProjectSource(folder=config.project_dir.expanduser().absolute())


def _default_environments(profile: UserProfile | None) -> tuple[EnvironmentConfig, ...]:
    if profile is None:
        return (EnvironmentConfig("Production", "prod"),)
    targets = sorted(profile.outputs, key=lambda target: target != profile.target)
    return tuple(EnvironmentConfig(target, target) for target in targets)


def _default_jobs(environments: Sequence[EnvironmentConfig]) -> tuple[JobConfig, ...]:
    first, *others = environments
    return (
        JobConfig("Build", first.name),
        *(JobConfig(f"Build {environment.name}", environment.name) for environment in others),
    )


def _check_targets(profile: UserProfile, environments: Sequence[EnvironmentConfig]) -> None:
    for environment in environments:
        profile.output(environment.target)


def _report_missing_variables(profile: UserProfile, setup: ProjectSetup, progress: ProgressCallback) -> None:
    passed = process.minimal_environment({}, setup.pass_env)
    for name, is_required in profile.variables().items():
        if name in passed:
            continue
        reads = f"{profile.file} reads the environment variable {name}, which is not passed to dbt"
        option = f"--pass-env {name} (pass_env in a file)"
        if is_required:
            progress(f"{reads}. Set it, and pass it with {option}.")
        elif name in os.environ:
            progress(f"{reads}, so the default in the profile is used. To use its value, give {option}.")


def _report_shared_databases(
    profile: UserProfile, environments: Sequence[EnvironmentConfig], progress: ProgressCallback
) -> None:
    names: dict[str, list[str]] = {}
    for environment in environments:
        if path := profile.duckdb_file(environment.target):
            names.setdefault(path, []).append(environment.name)
    for path, sharing in names.items():
        if len(sharing) > 1:
            progress(
                f"The environments {', '.join(sharing)} use the same DuckDB file {path}. DuckDB lets one"
                " process write at a time, so a run fails while one of another environment writes."
                " Give each target its own file, or do not run them at the same time."
            )


def _environment(environment: EnvironmentConfig, id_: int, project_id: int) -> dict[str, Any]:
    return {
        "id": id_,
        "name": environment.name,
        "project_id": project_id,
        "target_name": environment.target,
        "schema": environment.schema,
        "deployment_type": environment.type,
        "dbt_version": environment.dbt_version or "latest",
        "use_custom_branch": environment.branch is not None,
        "custom_branch": environment.branch,
    }


def _job(job: JobConfig, entry: _ResolvedProject, ids: dict[str, int], project_id: int) -> dict[str, Any]:
    environment = job.environment or entry.environments[0].name
    if environment not in ids:
        raise LocalServerError(
            f"The job {job.name!r} of {entry.name!r} has an unknown environment {environment!r}."
            f" The environments are: {', '.join(ids)}. Name one of these, or add it."
        )
    for step in job.steps:
        command_line.parse_command_line(step)
    target = next(found.target for found in entry.environments if found.name == environment)
    profile_threads = entry.profile.threads(target) if entry.profile else None
    return {
        "name": job.name,
        "project_id": project_id,
        "environment_id": ids[environment],
        "description": job.description,
        "execute_steps": list(job.steps),
        "generate_docs": job.generate_docs,
        "run_generate_sources": job.run_generate_sources,
        "threads": job.threads or profile_threads or _DEFAULT_THREADS,
        "timeout_seconds": job.timeout_seconds,
        **_schedule(job.schedule),
    }


def _schedule(cron: str | None) -> dict[str, Any]:
    if cron is None:
        return {}
    date, time = {"type": "custom_cron", "cron": cron}, {"type": "every_hour", "interval": 1}
    schedule = {"cron": cron, "date": date, "time": time}
    return {"job_type": "scheduled", "schedule": schedule, "triggers": {"schedule": True}}
