"""The file ``dbt_project.yml`` of a dbt project."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbtcloud.core.runner_errors import InvalidDbtProject, RunnerError


@dataclass(frozen=True, slots=True)
class DbtProject:
    """The ``name`` and ``profile`` of a project. Either may be None."""

    name: str | None
    profile: str | None


def read_project(folder: Path) -> DbtProject:
    """Read the ``dbt_project.yml`` in a folder.

    Raises:
        InvalidDbtProject: The file does not exist or cannot be read.
    """
    path = folder / "dbt_project.yml"
    if not path.is_file():
        raise no_project_error(folder)
    content = load_yaml(path, InvalidDbtProject)
    return DbtProject(_text(content.get("name")), _text(content.get("profile")))


def no_project_error(folder: Path) -> InvalidDbtProject:
    """Return the error for a folder without a dbt project."""
    return InvalidDbtProject(
        f"There is no dbt project in {folder}: it has no dbt_project.yml."
        " Give the folder in which you would run 'dbt build'."
    )


def load_yaml(path: Path, error_class: type[RunnerError]) -> dict[str, Any]:
    """Return the mapping in a YAML file, which is empty for an empty file.

    Args:
        path: The file.
        error_class: The class of the error to raise.

    Raises:
        RunnerError: The file cannot be read, or is not a YAML mapping.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise error_class(f"{path} cannot be read: {error}. Correct the file.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise error_class(f"{path} must be a mapping of names to values. Correct the file.")
    return content


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
