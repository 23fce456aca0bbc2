"""What a dbt project says of itself in ``dbt_project.yml``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbtcloud.core.runner_errors import NotADbtProject, RunnerError


@dataclass(frozen=True, slots=True)
class DbtProject:
    """A project's ``name``, and the ``profile`` that it asks for; either may be None."""

    name: str | None
    profile: str | None


def read(folder: Path) -> DbtProject:
    """Read a project's own file.

    Raises:
        NotADbtProject: The folder has none, or it cannot be read.
    """
    path = folder / "dbt_project.yml"
    if not path.is_file():
        raise missing(folder)
    content = load_yaml(path, NotADbtProject)
    return DbtProject(_text(content.get("name")), _text(content.get("profile")))


def missing(folder: Path) -> NotADbtProject:
    """The error for a folder that is no dbt project."""
    return NotADbtProject(
        f"There is no dbt project in {folder}: it has no dbt_project.yml."
        " Give the folder in which you would run 'dbt build'."
    )


def load_yaml(path: Path, kind: type[RunnerError]) -> dict[str, Any]:
    """Read a YAML file that holds a mapping; an empty one is an empty mapping.

    Raises:
        RunnerError: of the given kind; it cannot be read, is no YAML, or holds something else.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise kind(f"{path} cannot be read: {error}. Correct it there.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise kind(f"{path} holds no mapping of names to values. Correct it there.")
    return content


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
