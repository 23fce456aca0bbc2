"""The dbt profile of a run: the user's profile with the overrides of the run, or one for a DuckDB file."""

from dataclasses import dataclass
from pathlib import Path

from dbtcloud.core.profiles import DUCKDB_PROFILE_NAME, DuckDbProfile, UserProfile
from dbtcloud.core.requirements import DUCKDB, adapter_package
from dbtcloud.local.model.run_plan import DATABASE, RunPlan

_DEFAULT_THREADS = 4


@dataclass(frozen=True, slots=True)
class RunProfile:
    """The profile of a run.

    Attributes:
        name: The name of the profile.
        target: The name of the target.
        adapter: The adapter package.
        connection: The name of the connection, as dbt Cloud shows it.
        lines: A description for the log, without secrets.
        profile: The profile to write.
    """

    name: str
    target: str
    adapter: str
    connection: str
    lines: tuple[str, ...]
    profile: DuckDbProfile | UserProfile

    @classmethod
    def resolve(cls, plan: RunPlan, folder: Path) -> "RunProfile":
        """Return the profile of a run whose project is in ``folder``.

        Raises:
            ProfileNotFound: The profile or the target of the run does not exist.
            InvalidDbtProject: ``folder`` has no dbt project.
        """
        return _user_profile(plan, folder) if plan.setup.uses_profile else _duckdb_profile(plan)


def _user_profile(plan: RunPlan, folder: Path) -> RunProfile:
    found = UserProfile.find(folder, plan.setup.profiles_dir)
    target = (
        found.target if plan.target_name == "default" and "default" not in found.outputs else plan.target_name
    )
    home = plan.setup.source.folder or plan.work_dir
    profile = found.with_overrides(target, plan.schema, plan.threads, home)
    threads = profile.threads(target) or "default"
    line = f"Profile {found.name} in {found.file}: target {target}, {threads} threads"
    adapter = adapter_package(found.type_of(target))
    return RunProfile(found.name, target, adapter, found.connection_name(target), (line,), profile)


def _duckdb_profile(plan: RunPlan) -> RunProfile:
    profile = DuckDbProfile(
        database=plan.work_dir / DATABASE,
        target_name=plan.target_name,
        schema=plan.schema or plan.target_name,
        threads=plan.threads or _DEFAULT_THREADS,
    )
    line = f"Target {profile.target_name}, schema {profile.schema}, {profile.threads} threads"
    return RunProfile(
        DUCKDB_PROFILE_NAME,
        plan.target_name,
        DUCKDB,
        "DuckDB",
        (line, f"DuckDB file: {profile.database}"),
        profile,
    )
