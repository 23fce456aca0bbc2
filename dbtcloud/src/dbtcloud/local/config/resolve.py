"""From declared projects to what a server holds: sources fetched, profiles read, jobs laid out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dbtcloud.core import commands, own_profile, process, project
from dbtcloud.core.own_profile import OwnProfile
from dbtcloud.core.requirements import DUCKDB, requirements
from dbtcloud.core.source import Source
from dbtcloud.local.config.model import DeclaredEnvironment, DeclaredJob, DeclaredProject
from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.model.run_plan import ProjectSetup

_DEFAULT_THREADS = 4
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OwnProjects:
    """What to serve.

    Attributes:
        document: a seed document (see `dbtcloud.local.control.seed.seed`).
        setups: how to run each project, by its id in the document.
        requirements: what each dbt environment that the jobs need is made of.
    """

    document: dict[str, Any]
    setups: dict[int, ProjectSetup]
    requirements: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _Settled:
    """A declared project of which everything is known."""

    name: str
    setup: ProjectSetup
    environments: tuple[DeclaredEnvironment, ...]
    jobs: tuple[DeclaredJob, ...]
    profile: OwnProfile | None


async def settle(projects: Sequence[DeclaredProject], folder: Path, progress: Progress) -> OwnProjects:
    """Look at each project's sources and profile, and lay out its environments and jobs.

    Args:
        projects: what is declared.
        folder: where repositories are fetched to.
        progress: is called with a line for each thing that takes time or is worth knowing.

    Raises:
        LocalServerError: for a project that is declared wrongly.
        RunnerError: for sources or a profile that cannot be had, and a dbt that cannot be installed.
    """
    settled = [
        await _settled(declared, folder / str(number), progress) for number, declared in enumerate(projects)
    ]
    names = [entry.name for entry in settled]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise LocalServerError(
            f"Two projects are named {twice!r}, so that they cannot be told apart. Rename one."
        )
    return _laid_out(settled)


async def _settled(declared: DeclaredProject, folder: Path, progress: Progress) -> _Settled:
    source = _source(declared)
    if declared.git:
        progress(f"Fetching {source}")
    found = (await source.fetch(folder)).folder
    described = project.read(found)
    profile = None if declared.duckdb else own_profile.find(found, declared.profiles_dir)
    environments = declared.environments or _environments(profile)
    if profile is not None:
        _check_targets(profile, environments)
    setup = ProjectSetup(
        source,
        declared.adapters or (profile.adapters() if profile else (DUCKDB,)),
        own_profile=profile is not None,
        profiles_dir=declared.profiles_dir,
        pass_env=declared.pass_env,
    )
    if profile is not None:
        _hint_at_variables(profile, setup, progress)
    environments = tuple(
        replace(environment, dbt_version=environment.dbt_version or declared.dbt_version)
        for environment in environments
    )
    name = declared.name or described.name or found.name
    return _Settled(name, setup, environments, declared.jobs or _jobs(environments), profile)


def _source(declared: DeclaredProject) -> Source:
    if (declared.project_dir is None) == (declared.git is None):
        raise LocalServerError(
            f"The project {declared.name or 'to serve'!r} needs either a project_dir or a git address,"
            f" and has {'none' if declared.git is None else 'both'}. Give one of them."
        )
    if declared.git is not None:
        return Source(url=declared.git, branch=declared.branch, subdirectory=declared.subdirectory)
    if declared.branch or declared.subdirectory:
        raise LocalServerError(
            "A branch or a subdirectory was given for a project_dir, which is served as it stands."
            " Leave them out, or give the repository as git address."
        )
    assert declared.project_dir is not None
    return Source(folder=declared.project_dir.expanduser().absolute())


def _environments(profile: OwnProfile | None) -> tuple[DeclaredEnvironment, ...]:
    if profile is None:
        return (DeclaredEnvironment("Production", "prod"),)
    targets = sorted(profile.outputs, key=lambda target: target != profile.target)
    return tuple(DeclaredEnvironment(target, target) for target in targets)


def _jobs(environments: Sequence[DeclaredEnvironment]) -> tuple[DeclaredJob, ...]:
    first, *others = environments
    return (
        DeclaredJob("Build", first.name),
        *(DeclaredJob(f"Build {environment.name}", environment.name) for environment in others),
    )


def _check_targets(profile: OwnProfile, environments: Sequence[DeclaredEnvironment]) -> None:
    for environment in environments:
        profile.output(environment.target)


def _hint_at_variables(profile: OwnProfile, setup: ProjectSetup, progress: Progress) -> None:
    seen = process.bare_environment({}, setup.pass_env)
    for name in profile.variables():
        if name not in seen:
            progress(
                f"{profile.file} reads the environment variable {name}, which dbt does not get here:"
                f" set it, and let it through with --pass-env {name}"
            )


def _laid_out(settled: Sequence[_Settled]) -> OwnProjects:
    document: dict[str, Any] = {
        "accounts": [{"id": 1, "name": "Local"}],
        "projects": [],
        "environments": [],
        "jobs": [],
    }
    wanted: dict[tuple[str, ...], None] = {}
    for project_id, entry in enumerate(settled, start=1):
        document["projects"].append({"id": project_id, "name": entry.name})
        ids = {}
        for environment in entry.environments:
            wanted[requirements(environment.dbt_version, entry.setup.adapters)] = None
            ids[environment.name] = len(document["environments"]) + 1
            document["environments"].append(_environment(environment, ids[environment.name], project_id))
        for job in entry.jobs:
            document["jobs"].append(_job(job, entry, ids, project_id) | {"id": len(document["jobs"]) + 1})
    return OwnProjects(document, dict(enumerate((entry.setup for entry in settled), start=1)), tuple(wanted))


def _environment(environment: DeclaredEnvironment, id_: int, project_id: int) -> dict[str, Any]:
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


def _job(job: DeclaredJob, entry: _Settled, ids: dict[str, int], project_id: int) -> dict[str, Any]:
    environment = job.environment or entry.environments[0].name
    if environment not in ids:
        raise LocalServerError(
            f"The job {job.name!r} of {entry.name!r} names an environment {environment!r} that is not there:"
            f" there are {', '.join(ids)}. Name one of these, or declare it."
        )
    for step in job.steps:
        commands.parse(step)
    target = next(found.target for found in entry.environments if found.name == environment)
    own = entry.profile.threads(target) if entry.profile else None
    return {
        "name": job.name,
        "project_id": project_id,
        "environment_id": ids[environment],
        "description": job.description,
        "execute_steps": list(job.steps),
        "generate_docs": job.generate_docs,
        "run_generate_sources": job.run_generate_sources,
        "threads": job.threads or own or _DEFAULT_THREADS,
        "timeout_seconds": job.timeout_seconds,
        **_schedule(job.schedule),
    }


def _schedule(cron: str | None) -> dict[str, Any]:
    if cron is None:
        return {}
    date, time = {"type": "custom_cron", "cron": cron}, {"type": "every_hour", "interval": 1}
    schedule = {"cron": cron, "date": date, "time": time}
    return {"job_type": "scheduled", "schedule": schedule, "triggers": {"schedule": True}}
