"""A dbt project and its ``dbt_project.yml``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from dbtcloud.core.runner_errors import InvalidDbtConfiguration

_FILE = "dbt_project.yml"


@dataclass(frozen=True, slots=True)
class DbtProject:
    """The ``name`` and ``profile`` of a project. Either may be None."""

    name: str | None
    profile: str | None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the project in a folder.

        Raises:
            InvalidDbtConfiguration: The folder has no ``dbt_project.yml``, or the file cannot be read.
        """
        cls.check(folder)
        content = load_yaml(folder / _FILE)
        return cls(_text(content.get("name")), _text(content.get("profile")))

    @staticmethod
    def check(folder: Path) -> None:
        """Check that a folder has a project.

        Raises:
            InvalidDbtConfiguration: The folder has no ``dbt_project.yml``.
        """
        if not (folder / _FILE).is_file():
            raise InvalidDbtConfiguration(
                f"There is no dbt project in {folder}: it has no {_FILE}."
                " Give the folder in which you would run 'dbt build'."
            )

    @staticmethod
    def has_packages(folder: Path) -> bool:
        """Return True if the project in a folder has packages, so that ``dbt deps`` is needed."""
        return any((folder / name).is_file() for name in ("packages.yml", "dependencies.yml"))


def load_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file, which is empty for an empty file.

    Raises:
        InvalidDbtConfiguration: The file cannot be read, or is not a YAML mapping.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidDbtConfiguration(f"{path} cannot be read. Correct the file:\n{error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InvalidDbtConfiguration(f"{path} must be a mapping of names to values. Correct the file.")
    return content


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
