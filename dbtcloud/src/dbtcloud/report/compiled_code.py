"""Finds the compiled code of nodes among a run's artifacts.

run_results.json does not say where a node's compiled code lies, and manifest.json, which does, can have
hundreds of megabytes. The list of the run's artifacts tells the same in one small request: dbt puts the code
into `compiled/<package>/<path of the source file>`, and the file is named after its node (dbt: "About dbt
artifacts", "target-path"). Being a list of what is there, it never names a file that the run did not leave.

A test whose name has 64 characters or more is in a file with a shorter one: the beginning of its name, and
the MD5 digest of all of it (as dbt's `synthesize_generic_test_names` makes it).
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from dbtcloud.artifacts.run_results import NodeResult

_CODE_SUFFIXES = frozenset({".sql", ".py"})
"""Endings of files with a node's code."""

_DIGEST = re.compile(r"_([0-9a-f]{32})$")


def with_compiled_paths(nodes: Iterable[NodeResult], paths: Iterable[str]) -> tuple[NodeResult, ...]:
    """The nodes, each with its compiled code's path where exactly one of `paths` is named after it."""
    found = _by_name(paths)
    return tuple(replace(node, compiled_path=_path(node, found)) for node in nodes)


def _path(node: NodeResult, found: Mapping[tuple[str, str], list[str]]) -> str | None:
    for name in _file_names(node):
        if candidates := found.get((node.package, name)):
            own = [path for path in candidates if _kind(path) == node.kind] or candidates
            return own[0] if len(own) == 1 else None
    return None


def _file_names(node: NodeResult) -> Iterator[str]:
    """Names that a node's file can have, without ending; of a hashed one, the digest.

    A version of a model lies in `orders_v2.sql`, or in `orders.sql` (dbt: "Model versions").
    """
    yield node.name
    yield node.name.replace(".v", "_v")
    yield node.name.rpartition(".v")[0] or node.name
    yield hashlib.md5(node.name.encode(), usedforsecurity=False).hexdigest()


def _kind(path: str) -> str:
    """The kind of node that the folder of a project is for where it has dbt's usual name; a guess."""
    folders = path.split("/")[2:-1]
    if any(folder.endswith((".yml", ".yaml")) for folder in folders):
        return "test"
    return {"models": "model", "tests": "test", "snapshots": "snapshot"}.get(
        folders[0] if folders else "", ""
    )


def _by_name(paths: Iterable[str]) -> Mapping[tuple[str, str], list[str]]:
    """Paths of compiled code by package and file name without its ending, or digest at its end."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        folder, _, below = path.partition("/")
        package, _, file = below.partition("/")
        name, dot, suffix = file.rpartition("/")[2].rpartition(".")
        if folder == "compiled" and f"{dot}{suffix}" in _CODE_SUFFIXES:
            found[package, name].append(path)
            if hashed := _DIGEST.search(name):
                found[package, hashed[1]].append(path)
    return found
