"""Which packages make the dbt that somebody asks for."""

import re
from collections.abc import Sequence

from dbtcloud.core.runner_errors import UnsupportedDbt

# From dbt-core 1.12 on, an install needs a download from outside the package index.
DBT_REQUIREMENTS = ("dbt-core>=1.10,<1.12", "dbt-duckdb>=1.9,<2", "duckdb>=1.1,<2")
DUCKDB = "dbt-duckdb"

_CORE, *_DUCKDB = DBT_REQUIREMENTS
_OLDEST, _NEWEST = 9, 11
# dbt Cloud's names for a version that moves by itself.
_MOVING = frozenset({"", "compatible", "extended", "fallback", "latest", "versionless"})
_VERSION = re.compile(r"v?1\.(?P<minor>\d+)(?:\.(?P<patch>\d+|x|latest))?(?:-(?P<channel>latest|pre))?")
_ADAPTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[\w,.-]+\])?\s*([<>=!~]=?\s*[\w.*,<>=!~ ]+)?")


def requirements(version: str | None = None, adapters: Sequence[str] = (DUCKDB,)) -> tuple[str, ...]:
    """Return what to install, as pip understands it.

    Args:
        version: ``1.11`` and ``1.11.0-latest`` are the newest 1.11, ``1.11.2`` is just that one; None and
            dbt Cloud's ``latest``, ``compatible``, ``versionless`` … are the newest that can be installed.
        adapters: Packages such as ``dbt-postgres``, with or without a version.

    Raises:
        UnsupportedDbt: The version is none of these, or an adapter is no package's name.
    """
    return tuple(
        dict.fromkeys((_core(version or ""), *(name for given in adapters for name in _adapter(given))))
    )


def adapter_of(connection_type: str) -> str:
    """The package for a profile's ``type``, by dbt's own rule for their names."""
    return f"dbt-{connection_type}"


def _core(version: str) -> str:
    if version in _MOVING:
        return _CORE
    found = _VERSION.fullmatch(version)
    if not found or not _OLDEST <= int(found["minor"]) <= _NEWEST:
        raise UnsupportedDbt(
            f"dbt {version} cannot be had here: the versions that install from the package index alone,"
            f" and are tried, are 1.{_OLDEST} to 1.{_NEWEST}. Ask for one of these, for example 1.{_NEWEST}."
        )
    moving = found["channel"] or found["patch"] in {None, "x", "latest"}
    return f"dbt-core~=1.{found['minor']}.0" if moving else f"dbt-core==1.{found['minor']}.{found['patch']}"


def _adapter(given: str) -> tuple[str, ...]:
    name = given if given.startswith("dbt-") else adapter_of(given)
    if not _ADAPTER.fullmatch(name):
        raise UnsupportedDbt(
            f"The adapter {given!r} is no package's name."
            " Give one such as dbt-postgres or dbt-postgres==1.10.0."
        )
    return tuple(_DUCKDB) if name == DUCKDB else (name,)
