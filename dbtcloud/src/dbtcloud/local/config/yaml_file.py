"""The YAML file that declares several projects: read strictly, so that a slip is told and not passed over."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from dbtcloud.local.config.model import (
    Declaration,
    DeclaredEnvironment,
    DeclaredJob,
    DeclaredProject,
    DeclaredToken,
)
from dbtcloud.local.model.api_errors import LocalServerError

T = TypeVar("T")
Reader = Callable[[Any, str], Any]


class FileError(LocalServerError):
    """The file cannot be served; the message names the place in it."""


def read(path: Path) -> Declaration:
    """Read a file of projects; paths in it are relative to its folder.

    Raises:
        FileError: It cannot be read, is no YAML, or holds what it should not.
    """
    declaration: Declaration = _object(Declaration, _content(path), path.name, _READERS_OF_FILE)
    if not declaration.projects:
        raise FileError(
            f"{path.name} declares no project, so that there is nothing to serve. Add one to projects."
        )
    return _relative_to(path.absolute().parent, declaration)


def _content(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"The file {path} cannot be read: {error.strerror}. Check --config.") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise FileError(f"The file {path} is no YAML: {error}. Correct it there.") from error


def _object(kind: type[T], value: Any, where: str, readers: Mapping[str, Reader]) -> T:
    if not isinstance(value, Mapping):
        raise FileError(
            f"{where} should hold names and values, and holds {value!r}. It takes {', '.join(readers)}."
        )
    for name in value:
        if name not in readers:
            raise _unknown(str(name), where, list(readers))
    required = [entry.name for entry in fields(kind) if entry.default is MISSING]  # type: ignore[arg-type]
    if lacking := [name for name in required if value.get(name) is None]:
        raise FileError(f"{where} lacks {', '.join(lacking)}, which it cannot do without. Add it there.")
    given = {
        name: readers[name](entry, f"{where}, {name}") for name, entry in value.items() if entry is not None
    }
    return kind(**given)


def _unknown(name: str, where: str, known: list[str]) -> FileError:
    near = get_close_matches(name, known, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return FileError(f"{where} has an unknown key {name!r}: it takes {', '.join(known)}.{hint}")


def _is(*kinds: type, word: str) -> Reader:
    def reader(value: Any, where: str) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise FileError(f"{where} should be {word}, and is {value!r}. Correct it there.")
        return value

    return reader


def _several(reader: Reader) -> Reader:
    def several(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise FileError(
                f"{where} should be a list, and is {value!r}. Write its entries with '- ' in front."
            )
        return tuple(reader(entry, f"{where} {number}") for number, entry in enumerate(value, start=1))

    return several


def _record(kind: type, readers: Mapping[str, Reader]) -> Reader:
    return lambda value, where: _object(kind, value, where, readers)


def _path(value: Any, where: str) -> Path:
    return Path(_text(value, where)).expanduser()


_text = _is(str, word="a text")
_flag = _is(bool, word="true or false")
_number = _is(int, word="a whole number")


def _version(value: Any, where: str) -> str:
    # 1.10 without quotes is the number 1.1.
    if isinstance(value, float):
        raise FileError(f"{where} is the number {value!r}, which loses its last zero. Put it in quotes.")
    return str(_text(value, where))


_READERS_OF_ENVIRONMENT = {
    **dict.fromkeys(("name", "target", "schema", "type", "branch"), _text),
    "dbt_version": _version,
}
_READERS_OF_JOB = {
    **dict.fromkeys(("name", "environment", "schedule", "description"), _text),
    **dict.fromkeys(("generate_docs", "run_generate_sources"), _flag),
    **dict.fromkeys(("threads", "timeout_seconds"), _number),
    "steps": _several(_text),
}
_READERS_OF_PROJECT = {
    **dict.fromkeys(("name", "git", "branch", "subdirectory"), _text),
    **dict.fromkeys(("project_dir", "profiles_dir"), _path),
    **dict.fromkeys(("adapters", "pass_env"), _several(_text)),
    "duckdb": _flag,
    "dbt_version": _version,
    "environments": _several(_record(DeclaredEnvironment, _READERS_OF_ENVIRONMENT)),
    "jobs": _several(_record(DeclaredJob, _READERS_OF_JOB)),
}
_READERS_OF_TOKEN = {"variable": _text, "permission_sets": _several(_text)}
_READERS_OF_FILE: Mapping[str, Reader] = {
    "projects": _several(_record(DeclaredProject, _READERS_OF_PROJECT)),
    "tokens": _several(_record(DeclaredToken, _READERS_OF_TOKEN)),
    "keep_artifacts": _text,
}


def _relative_to(folder: Path, declaration: Declaration) -> Declaration:
    from dataclasses import replace

    def placed(path: Path | None) -> Path | None:
        return None if path is None else folder / path

    projects = tuple(
        replace(project, project_dir=placed(project.project_dir), profiles_dir=placed(project.profiles_dir))
        for project in declaration.projects
    )
    return replace(declaration, projects=projects)
