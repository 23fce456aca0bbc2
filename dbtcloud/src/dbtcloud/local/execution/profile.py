"""The profile that a run's dbt gets: the user's own with what the run overrides, or one of a DuckDB file."""

from dataclasses import dataclass
from pathlib import Path

from dbtcloud.core import own_profile
from dbtcloud.core.own_profile import OwnProfile
from dbtcloud.core.profile import PROFILE_NAME, DuckDbProfile
from dbtcloud.core.requirements import DUCKDB, adapter_of
from dbtcloud.local.model.run_plan import DATABASE, RunPlan

_DEFAULT_THREADS = 4


@dataclass(frozen=True, slots=True)
class RunProfile:
    """What is written for dbt.

    Attributes:
        name: The profile's name in the file that is written.
        target: The target's name there.
        adapter: The package that speaks to the connection.
        connection: What dbt Cloud would call the connection.
        lines: What a person is told about it; nothing secret.
        profile: Writes itself into a folder.
    """

    name: str
    target: str
    adapter: str
    connection: str
    lines: tuple[str, ...]
    profile: DuckDbProfile | OwnProfile


def profile_of(plan: RunPlan, folder: Path) -> RunProfile:
    """Return the profile of a run whose project lies in ``folder``.

    Raises:
        NoProfile: The project's profile, or the target that the run asks for, is not there.
        NotADbtProject: ``folder`` holds no dbt project.
    """
    return _own(plan, folder) if plan.setup.own_profile else _duckdb(plan)


def _own(plan: RunPlan, folder: Path) -> RunProfile:
    found = own_profile.find(folder, plan.setup.profiles_dir)
    target = (
        found.target if plan.target_name == "default" and "default" not in found.outputs else plan.target_name
    )
    home = plan.setup.source.folder or plan.work_dir
    settled = found.settled(target, plan.schema, plan.threads, home)
    threads = settled.threads(target) or "its own"
    line = f"Profile {found.name} of {found.file}: target {target}, {threads} threads"
    adapter = adapter_of(found.type_of(target))
    return RunProfile(found.name, target, adapter, found.connection(target), (line,), settled)


def _duckdb(plan: RunPlan) -> RunProfile:
    profile = DuckDbProfile(
        database=plan.work_dir / DATABASE,
        target_name=plan.target_name,
        schema=plan.schema or plan.target_name,
        threads=plan.threads or _DEFAULT_THREADS,
    )
    what = f"Target {profile.target_name}, schema {profile.schema}, {profile.threads} threads"
    return RunProfile(
        PROFILE_NAME, plan.target_name, DUCKDB, "DuckDB", (what, f"DuckDB file: {profile.database}"), profile
    )
