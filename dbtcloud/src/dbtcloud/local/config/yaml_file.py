"""The YAML file with the configuration of a server.

Unknown and wrong entries are errors. Each message names the place in the file.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from dbtcloud.local.config.model import (
    EnvironmentConfig,
    JobConfig,
    ProjectConfig,
    ServerConfig,
    TokenConfig,
)
from dbtcloud.local.model.api_errors import LocalServerError

_T = TypeVar("_T")
# The keys of the file that are not the names of attributes.
_ATTRIBUTES = {"with": "packages"}
# Takes a value and its place in the file, and returns the value for the configuration.
_Reader = Callable[[Any, str], Any]


def read_config_file(path: Path) -> ServerConfig:
    """Return the configuration in a YAML file. Paths in it are relative to the folder of the file.

    Raises:
        LocalServerError: The file cannot be read, or its content is not valid.
    """
    config: ServerConfig = _object(ServerConfig, _content(path), path.name, _READERS_FOR_FILE)
    if not config.projects:
        raise LocalServerError(f"{path.name} has no project. Add one to projects.")
    return _relative_to(path.absolute().parent, config)


def _content(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LocalServerError(
            f"The file {path} cannot be read: {error.strerror}. Check --config."
        ) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise LocalServerError(f"The file {path} is not valid YAML. Correct it:\n{error}") from error


def _object(kind: type[_T], value: Any, where: str, readers: Mapping[str, _Reader]) -> _T:
    if not isinstance(value, Mapping):
        raise LocalServerError(
            f"{where} must be a mapping, but is {value!r}. Its keys are {', '.join(readers)}."
        )
    for name in value:
        if name not in readers:
            raise _unknown_key(str(name), where, list(readers))
    required = [entry.name for entry in fields(kind) if entry.default is MISSING]  # type: ignore[arg-type]
    if missing := [name for name in required if value.get(name) is None]:
        raise LocalServerError(f"{where} has no {', '.join(missing)}. Add it to the file.")
    given = {
        _ATTRIBUTES.get(name, str(name)): readers[name](entry, f"{where}, {name}")
        for name, entry in value.items()
        if entry is not None
    }
    return kind(**given)


def _unknown_key(name: str, where: str, known: list[str]) -> LocalServerError:
    near = get_close_matches(name, known, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return LocalServerError(f"{where} has an unknown key {name!r}. Its keys are {', '.join(known)}.{hint}")


def _of_type(*kinds: type, word: str) -> _Reader:
    def reader(value: Any, where: str) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise LocalServerError(f"{where} must be {word}, but is {value!r}. Correct the file.")
        return value

    return reader


def _list_of(reader: _Reader) -> _Reader:
    def several(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise LocalServerError(f"{where} must be a list, but is {value!r}. Put '- ' before each entry.")
        return tuple(reader(entry, f"{where} {number}") for number, entry in enumerate(value, start=1))

    return several


def _record(kind: type, readers: Mapping[str, _Reader]) -> _Reader:
    return lambda value, where: _object(kind, value, where, readers)


def _path(value: Any, where: str) -> Path:
    return Path(_text(value, where)).expanduser()


_text = _of_type(str, word="text")
_flag = _of_type(bool, word="true or false")
_number = _of_type(int, word="a whole number")


def _version(value: Any, where: str) -> str:
    # 1.10 without quotes is the number 1.1.
    if isinstance(value, float):
        raise LocalServerError(
            f"{where} is the number {value!r}, which may have lost a zero at its end. Put it in quotes."
        )
    return str(_text(value, where))


_READERS_FOR_ENVIRONMENT = {
    **dict.fromkeys(("name", "target", "schema", "type", "branch"), _text),
    "dbt_version": _version,
}
_READERS_FOR_JOB = {
    **dict.fromkeys(("name", "environment", "schedule", "description"), _text),
    **dict.fromkeys(("generate_docs", "run_generate_sources"), _flag),
    **dict.fromkeys(("threads", "timeout_seconds"), _number),
    "steps": _list_of(_text),
}
_READERS_FOR_PROJECT = {
    **dict.fromkeys(("name", "git", "branch", "subdirectory"), _text),
    **dict.fromkeys(("project_dir", "profiles_dir"), _path),
    **dict.fromkeys(("adapters", "with", "pass_env"), _list_of(_text)),
    "duckdb": _flag,
    "dbt_version": _version,
    "environments": _list_of(_record(EnvironmentConfig, _READERS_FOR_ENVIRONMENT)),
    "jobs": _list_of(_record(JobConfig, _READERS_FOR_JOB)),
}
_READERS_FOR_TOKEN = {"variable": _text, "permission_sets": _list_of(_text)}
_READERS_FOR_FILE: Mapping[str, _Reader] = {
    "projects": _list_of(_record(ProjectConfig, _READERS_FOR_PROJECT)),
    "tokens": _list_of(_record(TokenConfig, _READERS_FOR_TOKEN)),
    "keep_artifacts": _text,
}


def _relative_to(folder: Path, config: ServerConfig) -> ServerConfig:
    def absolute(path: Path | None) -> Path | None:
        return None if path is None else folder / path

    projects = tuple(
        replace(
            project, project_dir=absolute(project.project_dir), profiles_dir=absolute(project.profiles_dir)
        )
        for project in config.projects
    )
    return replace(config, projects=projects)
