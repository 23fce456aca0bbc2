"""The user's settings of pip for indexes, certificates and proxies, as variables that uv reads."""

import configparser
import os
import sys
from collections.abc import Mapping
from pathlib import Path

# If one of these sets an index for uv, pip's indexes are ignored.
_UV_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_CONFIG_FILE")


def uv_variables(environ: Mapping[str, str], files: tuple[Path, ...] | None = None) -> dict[str, str]:
    """Translate the settings of pip for uv, which reads neither ``PIP_*`` nor the files of pip.

    Args:
        environ: The environment variables.
        files: The configuration files of pip, later ones override earlier ones. The default is those of
            pip's documentation (https://pip.pypa.io/en/stable/topics/configuration/).

    Returns:
        ``UV_*``, certificate and proxy variables to add, without those that are already set.
    """
    pip = _settings(environ, _config_files(environ) if files is None else files)
    translated = {**_connection(pip), **({} if _uv_knows_indexes(environ) else _indexes(pip))}
    return {name: value for name, value in translated.items() if value and name not in environ}


def _settings(environ: Mapping[str, str], files: tuple[Path, ...]) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read(files, encoding="utf-8")
    found: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            found.update({name.replace("_", "-"): value for name, value in parser.items(section)})
    for name, value in environ.items():
        if name.startswith("PIP_") and value:
            found[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return found


def _config_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return ()
    home = Path.home()
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    system = [Path(folder) / "pip" / "pip.conf" for folder in ("/etc/xdg", "/Library/Application Support")]
    user = [
        home / ".pip" / "pip.conf",
        home / "Library" / "Application Support" / "pip" / "pip.conf",
        config / "pip" / "pip.conf",
    ]
    last = [Path(sys.prefix) / "pip.conf", *([Path(chosen)] if chosen else [])]
    return (*system, Path("/etc/pip.conf"), *user, *last)


def _uv_knows_indexes(environ: Mapping[str, str]) -> bool:
    config = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "uv" / "uv.toml"
    return (
        any(environ.get(name) for name in _UV_INDEXES) or config.exists() or Path("/etc/uv/uv.toml").exists()
    )


def _indexes(pip: Mapping[str, str]) -> dict[str, str]:
    extra = " ".join(pip.get("extra-index-url", "").split())
    return {
        "UV_DEFAULT_INDEX": pip.get("index-url", ""),
        "UV_INDEX": extra,
        # pip chooses the best version of all indexes. By default, uv stops at the first with the name.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if extra else "",
        "UV_FIND_LINKS": ",".join(pip.get("find-links", "").split()),
        "UV_NO_INDEX": "1" if pip.get("no-index", "").lower() in {"1", "true", "yes", "on"} else "",
    }


def _connection(pip: Mapping[str, str]) -> dict[str, str]:
    return {
        "ALL_PROXY": pip.get("proxy", ""),
        "SSL_CERT_FILE": pip.get("cert", ""),
        "UV_INSECURE_HOST": " ".join(pip.get("trusted-host", "").split()),
        "UV_HTTP_TIMEOUT": pip.get("timeout") or pip.get("default-timeout", ""),
    }
