"""The user's own ``profiles.yml``: where it lies, its targets, and the one that a run gets."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dbtcloud.core import project
from dbtcloud.core.requirements import adapter_of
from dbtcloud.core.runner_errors import NoProfile

FILE = "profiles.yml"
_ASKED = re.compile(r"""env_var\(\s*['"]([A-Za-z_][A-Za-z0-9_]*)['"]\s*(,)?""")
_ENV_VAR = re.compile(
    r"""\{\{\s*env_var\(\s*['"](?P<name>\w+)['"]\s*(?:,\s*['"](?P<otherwise>[^'"]*)['"]\s*)?\)\s*\}\}"""
)
_NAMES = {"bigquery": "BigQuery", "duckdb": "DuckDB", "mysql": "MySQL", "sqlserver": "SQL Server"}


@dataclass(frozen=True, slots=True)
class OwnProfile:
    """A profile as its owner wrote it; Jinja in it stays as it is, for dbt to read.

    Attributes:
        file: The ``profiles.yml`` that it stands in.
        name: Its name there.
        target: The target that dbt takes when none is asked for.
        outputs: Its targets: connection settings by name.
    """

    file: Path
    name: str
    target: str
    outputs: Mapping[str, Mapping[str, Any]]

    def type_of(self, target: str) -> str:
        """The ``type`` of a target's connection, such as ``postgres``."""
        return str(self.output(target).get("type", "unknown"))

    def connection(self, target: str) -> str:
        """What a person calls a target's connection."""
        kind = self.type_of(target)
        return _NAMES.get(kind, kind.capitalize())

    def adapters(self) -> tuple[str, ...]:
        """The packages that dbt needs for all targets."""
        return tuple(dict.fromkeys(adapter_of(self.type_of(target)) for target in self.outputs))

    def threads(self, target: str) -> int | None:
        """A target's threads, None where they are not written as a number."""
        given = self.output(target).get("threads")
        return given if isinstance(given, int) else None

    def variables(self) -> list[str]:
        """The environment variables that the profile cannot do without."""
        found = _ASKED.findall(json.dumps(self.outputs, default=str).replace('\\"', '"'))
        return sorted({name for name, default in found if not default})

    def output(self, target: str) -> Mapping[str, Any]:
        """A target's settings.

        Raises:
            NoProfile: There is no such target.
        """
        if target not in self.outputs:
            raise NoProfile(
                f"The profile {self.name!r} in {self.file} has no target {target!r}; it has"
                f" {', '.join(sorted(self.outputs))}. Name one of these, or add it there."
            )
        return self.outputs[target]

    def settled(self, target: str, schema: str | None, threads: int | None, folder: Path) -> "OwnProfile":
        """Return the profile with one target only, and what a run overrides in it.

        Args:
            target: The target to keep.
            schema: Overrides its schema unless None.
            threads: Overrides its threads unless None.
            folder: Where a DuckDB file with a relative path lies: dbt itself runs in a copy of the project.

        Raises:
            NoProfile: There is no such target.
        """
        output = dict(self.output(target))
        if schema is not None:
            output["dataset" if "dataset" in output else "schema"] = schema
        if threads is not None:
            output["threads"] = threads
        if output.get("type") == "duckdb" and _is_relative_file(output.get("path")):
            output["path"] = str(folder / output["path"])
        return replace(self, target=target, outputs={target: output})

    def write(self, folder: Path) -> Path:
        """Write ``profiles.yml`` into ``folder``, readable by its owner only, and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE
        path.unlink(missing_ok=True)
        # JSON is YAML, and quotes every name rightly.
        text = json.dumps(
            {self.name: {"target": self.target, "outputs": self.outputs}}, indent=2, default=str
        )
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text + "\n")
        return path


def find(folder: Path, given: Path | None = None) -> OwnProfile:
    """Find the profile that the project in ``folder`` asks for.

    The first ``profiles.yml`` counts, in: ``given``, else the project's folder, ``$DBT_PROFILES_DIR``,
    ``~/.dbt``.

    Raises:
        NoProfile: There is no such file, or the profile is not in it, or it is not written as dbt has it.
        NotADbtProject: ``folder`` holds no dbt project.
    """
    name = project.read(folder).profile
    if name is None:
        raise NoProfile(
            f"{folder / 'dbt_project.yml'} names no profile. Add a line such as: profile: {folder.name}"
        )
    file = _file(folder, given, name)
    profiles = project.load_yaml(file, NoProfile)
    if name not in profiles:
        raise NoProfile(
            f"The profile {name!r} of {folder / 'dbt_project.yml'} is not in {file}, which has"
            f" {', '.join(sorted(map(str, profiles))) or 'none'}. Add it there, or correct the name."
        )
    return _read(file, name, profiles[name])


def _file(folder: Path, given: Path | None, name: str) -> Path:
    places = [given] if given is not None else list(_places(folder))
    for place in places:
        if (place / FILE).is_file():
            return place / FILE
    raise NoProfile(
        f"The project in {folder} asks for the profile {name!r}, and there is no {FILE} in"
        f" {', '.join(map(str, places))}. Name the folder that has it with --profiles-dir,"
        " or take --duckdb to run the project on a DuckDB file of its own."
    )


def _places(folder: Path) -> Iterator[Path]:
    yield folder
    if chosen := os.environ.get("DBT_PROFILES_DIR"):
        yield Path(chosen).expanduser().absolute()
    yield Path.home() / ".dbt"


def _read(file: Path, name: str, body: Any) -> OwnProfile:
    outputs = body.get("outputs") if isinstance(body, dict) else None
    if (
        not isinstance(outputs, dict)
        or not all(isinstance(output, dict) for output in outputs.values())
        or not outputs
    ):
        raise NoProfile(
            f"The profile {name!r} in {file} has no outputs. Write them as dbt's documentation shows."
        )
    named = {str(key): value for key, value in outputs.items()}
    return OwnProfile(file, name, _own_target(file, name, body.get("target"), named), named)


def _own_target(file: Path, name: str, written: Any, outputs: Mapping[str, Any]) -> str:
    """The target that dbt would choose; of Jinja, ``env_var`` alone is known here."""
    if not written:
        return "default" if "default" in outputs else next(iter(outputs))
    target: str | None = str(written)
    if "{{" in str(written):
        asked = _ENV_VAR.fullmatch(str(written).strip())
        target = os.environ.get(asked["name"], asked["otherwise"]) if asked else None
    if target is None or target not in outputs:
        known = ", ".join(outputs)
        raise NoProfile(
            f"The profile {name!r} in {file} has the target {written!r}, which stands for none of its outputs"
            f" ({known}) here. Name one of them, or set the environment variable that it asks for."
        )
    return target


def _is_relative_file(path: Any) -> bool:
    if not isinstance(path, str) or "{{" in path or ":" in path:
        return False
    return not Path(path).is_absolute()
