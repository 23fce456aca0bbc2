"""Pure modules do no input or output: what import-linter cannot see."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "dbtcloud" / "src"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
(PURE,) = (each["source_modules"] for each in CONTRACTS if each["name"].startswith("Pure modules"))

DOES_IO = {
    "downloads.artifact_files",
    "downloads.atomic_download",
    "downloads.download",
    "downloads.run_logs",
    "polling.batch_status_reader",
    "polling.poller",
    "polling.rate_limiter",
    "transport.async_client",
    "transport.bounded_adapter",
    "transport.network_settings",
    "transport.requests_session",
    "transport.sync_client",
    "transport.time_limit",
}


def files_of(module):
    path = SOURCES / module.replace(".", "/")
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_opens_and_prints_nothing(module):
    for path in files_of(module):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {function.id for function in calls if isinstance(function, ast.Name)}
        assert not names & {"open", "print", "input", "__import__", "exec", "eval"}, path


def test_every_module_of_the_client_is_pure_or_does_io_on_purpose():
    folder = SOURCES / "dbtcloud" / "client"
    modules = {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if path.name != "__init__.py"
    }
    pure = {name.removeprefix("dbtcloud.client.") for name in PURE if name.startswith("dbtcloud.client.")}
    assert modules - pure == DOES_IO
    assert pure <= modules
