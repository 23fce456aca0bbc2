"""The packages to install for a version of dbt and its adapters."""

import re
from collections.abc import Sequence

from dbtcloud.core.runner_errors import InvalidDbtConfiguration

# dbt-core 1.12 and later download files from outside the package index when they are installed.
DBT_REQUIREMENTS = ("dbt-core>=1.10,<1.12", "dbt-duckdb>=1.9,<2", "duckdb>=1.1,<2")
DUCKDB = "dbt-duckdb"

_CORE, *_DUCKDB = DBT_REQUIREMENTS
_OLDEST, _NEWEST = 9, 11  # the minor versions
# dbt Cloud's names for release tracks.
_RELEASE_TRACKS = frozenset({"", "compatible", "extended", "fallback", "latest", "versionless"})
_VERSION = re.compile(r"v?1\.(?P<minor>\d+)(?:\.(?P<patch>\d+|x|latest))?(?:-(?P<channel>latest|pre))?")
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[\w,. -]+\])?\s*([<>=!~]=.*|[<>].*|@\s*\S.*|;.*)?")
_ADAPTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[\w,.-]+\])?\s*([<>=!~]=?\s*[\w.*,<>=!~ ]+)?")


def resolve_requirements(
    version: str | None = None, adapters: Sequence[str] = (DUCKDB,), packages: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the packages to install, in the syntax of pip.

    Args:
        version: A minor version such as ``1.11`` or ``1.11.0-latest``, an exact version such as ``1.11.2``,
            or a release track such as ``latest``. None and all release tracks are the newest version.
        adapters: Packages such as ``dbt-postgres``, with or without a version.
        packages: Further packages, such as ``pandas`` or ``pandas==2.3``, which Python models import.

    Raises:
        InvalidDbtConfiguration: The version is not supported, or an adapter or a package is not the name of a
            package.
    """
    of_adapters = (name for given in adapters for name in _adapter(given))
    return tuple(dict.fromkeys((_core(version or ""), *of_adapters, *map(_package, packages))))


def _core(version: str) -> str:
    if version in _RELEASE_TRACKS:
        return _CORE
    found = _VERSION.fullmatch(version)
    if not found or not _OLDEST <= int(found["minor"]) <= _NEWEST:
        raise InvalidDbtConfiguration(
            f"dbt {version} is not supported. The local dbt Cloud can run dbt 1.{_OLDEST} to 1.{_NEWEST}."
            f" Choose one of these versions, for example 1.{_NEWEST}."
        )
    is_minor = found["channel"] or found["patch"] in {None, "x", "latest"}
    return f"dbt-core~=1.{found['minor']}.0" if is_minor else f"dbt-core==1.{found['minor']}.{found['patch']}"


def _adapter(given: str) -> tuple[str, ...]:
    name = given if given.startswith("dbt-") else f"dbt-{given}"
    if not _ADAPTER.fullmatch(name):
        raise InvalidDbtConfiguration(
            f"The adapter {given!r} is not the name of a package."
            " Give a name such as dbt-postgres or dbt-postgres==1.10.0."
        )
    return tuple(_DUCKDB) if name == DUCKDB else (name,)


def _package(given: str) -> str:
    name = given.strip()
    if not _PACKAGE.fullmatch(name):
        raise InvalidDbtConfiguration(
            f"The package {given!r} cannot be installed: it does not begin with the name of a package."
            " Give a name such as pandas, pandas==2.3, or 'oven @ file:///home/me/oven'."
        )
    return name
