"""dbt profiles: that of the user, and one for a DuckDB file."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dbtcloud.core.private_files import open_private
from dbtcloud.core.project import DbtProject, load_yaml
from dbtcloud.core.runner_errors import InvalidDbtConfiguration

DUCKDB_PROFILE_NAME = "local"

_FILE = "profiles.yml"
_ENV_VAR_CALL = re.compile(r"""env_var\(\s*['"]([A-Za-z_][A-Za-z0-9_]*)['"]\s*(,)?""")
_ENV_VAR = re.compile(
    r"""\{\{\s*env_var\(\s*['"](?P<name>\w+)['"]\s*(?:,\s*['"](?P<otherwise>[^'"]*)['"]\s*)?\)\s*\}\}"""
)
_CONNECTION_NAMES = {"bigquery": "BigQuery", "duckdb": "DuckDB", "mysql": "MySQL", "sqlserver": "SQL Server"}


@dataclass(frozen=True, slots=True)
class UserProfile:
    """A profile of the user. Jinja in it is left for dbt.

    Attributes:
        file: The ``profiles.yml`` that has the profile.
        name: The name of the profile.
        target: The default target.
        outputs: The connection settings of each target, by name.
    """

    file: Path
    name: str
    target: str
    outputs: Mapping[str, Mapping[str, Any]]

    @classmethod
    def find(cls, folder: Path, profiles_dir: Path | None = None) -> "UserProfile":
        """Return the profile of the project in ``folder``.

        Args:
            folder: The folder of the project.
            profiles_dir: The folder of ``profiles.yml``. The default is the first of these that has the file:
                ``folder``, ``$DBT_PROFILES_DIR``, and ``~/.dbt``.

        Raises:
            InvalidDbtConfiguration: The file or the profile in it does not exist, the profile is not valid,
                or ``folder`` has no dbt project.
        """
        name = DbtProject.read(folder).profile
        if name is None:
            raise InvalidDbtConfiguration(
                f"{folder / 'dbt_project.yml'} has no profile. Add a line such as: profile: {folder.name}"
            )
        file = _find_file(folder, profiles_dir, name)
        profiles = load_yaml(file)
        if name not in profiles:
            raise InvalidDbtConfiguration(
                f"The profile {name!r} of {folder / 'dbt_project.yml'} is not in {file}. The profiles"
                f" there are: {', '.join(sorted(map(str, profiles))) or 'none'}."
                " Add the profile, or correct its name."
            )
        return _read(file, name, profiles[name])

    def connection_name(self, target: str) -> str:
        """Return the name of a target's connection, as dbt Cloud shows it."""
        kind = self._type(target)
        return _CONNECTION_NAMES.get(kind, kind.capitalize())

    def adapter(self, target: str) -> str:
        """Return the adapter package of a target, such as ``dbt-postgres``."""
        return f"dbt-{self._type(target)}"

    def adapters(self) -> tuple[str, ...]:
        """Return the adapter packages of all targets."""
        return tuple(dict.fromkeys(map(self.adapter, self.outputs)))

    def duckdb_file(self, target: str) -> str | None:
        """Return the path of a target's DuckDB file, or None if it has none or the path has Jinja in it."""
        output = self.output(target)
        path = str(output.get("path") or ":memory:")
        is_other = output.get("type") != "duckdb" or path.startswith((":memory:", "md:", "motherduck:"))
        return None if is_other or "{{" in path else path

    def threads(self, target: str) -> int | None:
        """Return the threads of a target, or None if they are not a plain number."""
        given = self.output(target).get("threads")
        return given if isinstance(given, int) else None

    def variables(self) -> dict[str, bool]:
        """Return the environment variables that the profile reads, and for each whether it is required.

        A variable is required if the profile has no default for it at one place.
        """
        found = _ENV_VAR_CALL.findall(json.dumps(self.outputs, default=str).replace('\\"', '"'))
        required = {name for name, default in found if not default}
        return {name: name in required for name in sorted({name for name, _ in found})}

    def output(self, target: str) -> Mapping[str, Any]:
        """Return the settings of a target.

        Raises:
            InvalidDbtConfiguration: The target does not exist.
        """
        if target not in self.outputs:
            raise InvalidDbtConfiguration(
                f"The profile {self.name!r} in {self.file} has no target {target!r}. Its targets are"
                f" {', '.join(sorted(self.outputs))}. Name one of these, or add the target to the file."
            )
        return self.outputs[target]

    def with_overrides(self, target: str, schema: str | None, threads: int | None) -> "UserProfile":
        """Return the profile with a single target and the overrides of a run.

        Args:
            target: The target to keep.
            schema: Overrides the schema unless None.
            threads: Overrides the threads unless None.

        Raises:
            InvalidDbtConfiguration: The target does not exist.
        """
        output = dict(self.output(target))
        if schema is not None:
            output["dataset" if "dataset" in output else "schema"] = schema
        if threads is not None:
            output["threads"] = threads
        return replace(self, target=target, outputs={target: output})

    def write(self, folder: Path) -> Path:
        """Write ``profiles.yml`` into ``folder``, readable only for its owner, and return its path."""
        path = folder / _FILE
        # JSON is valid YAML, and quotes every name.
        text = json.dumps(
            {self.name: {"target": self.target, "outputs": self.outputs}}, indent=2, default=str
        )
        with open_private(path) as file:
            file.write(f"{text}\n".encode())
        return path

    def _type(self, target: str) -> str:
        """Return the ``type`` of a target's connection, such as ``postgres``."""
        return str(self.output(target).get("type", "unknown"))


@dataclass(frozen=True, slots=True)
class DuckDbProfile:
    """A profile with one target, which is a DuckDB file.

    Attributes:
        database: The DuckDB file. Its stem is the name of the database in the manifest.
        target_name: ``{{ target.name }}`` in the project.
        schema: ``{{ target.schema }}``, the schema of the models.
        threads: The number of nodes that dbt builds at a time.
    """

    database: Path
    target_name: str
    schema: str
    threads: int

    def write(self, folder: Path) -> Path:
        """Write ``profiles.yml`` into ``folder`` and return its path."""
        output = {
            "type": "duckdb",
            "path": str(self.database),
            "schema": self.schema,
            "threads": self.threads,
        }
        profiles = {DUCKDB_PROFILE_NAME: {"target": self.target_name, "outputs": {self.target_name: output}}}
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / _FILE
        # JSON is valid YAML, and quotes every name.
        path.write_text(json.dumps(profiles, indent=2) + "\n", encoding="utf-8")
        return path


def _find_file(folder: Path, profiles_dir: Path | None, name: str) -> Path:
    places = [profiles_dir] if profiles_dir is not None else list(_places(folder))
    for place in places:
        if (place / _FILE).is_file():
            return place / _FILE
    raise InvalidDbtConfiguration(
        f"The project in {folder} needs the profile {name!r}, but there is no {_FILE} in"
        f" {', '.join(map(str, places))}. Give the folder of the file with --profiles-dir,"
        " or use --duckdb to run the project on a DuckDB file."
    )


def _places(folder: Path) -> Iterator[Path]:
    yield folder
    if chosen := os.environ.get("DBT_PROFILES_DIR"):
        yield Path(chosen).expanduser().absolute()
    yield Path.home() / ".dbt"


def _read(file: Path, name: str, body: Any) -> UserProfile:
    outputs = body.get("outputs") if isinstance(body, dict) else None
    if (
        not isinstance(outputs, dict)
        or not all(isinstance(output, dict) for output in outputs.values())
        or not outputs
    ):
        raise InvalidDbtConfiguration(
            f"The profile {name!r} in {file} has no valid outputs. Add at least one target to its outputs."
        )
    named = {str(key): value for key, value in outputs.items()}
    return UserProfile(file, name, _default_target(file, name, body.get("target"), named), named)


def _default_target(file: Path, name: str, written: Any, outputs: Mapping[str, Any]) -> str:
    # Like dbt, except that `env_var` is the only Jinja that is evaluated here.
    if not written:
        return "default" if "default" in outputs else next(iter(outputs))
    target: str | None = str(written)
    if "{{" in str(written):
        asked = _ENV_VAR.fullmatch(str(written).strip())
        target = os.environ.get(asked["name"], asked["otherwise"]) if asked else None
    if target is None or target not in outputs:
        known = ", ".join(outputs)
        raise InvalidDbtConfiguration(
            f"The profile {name!r} in {file} has the target {written!r}, which is not one of its outputs"
            f" ({known}). Name one of them, or set the environment variable that the target reads."
        )
    return target
