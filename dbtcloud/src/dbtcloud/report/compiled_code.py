"""Finds the compiled code of nodes among the artifacts of a run.

run_results.json does not have the path of a node's compiled code. manifest.json has it, but can have hundreds
of megabytes. The list of the run's artifacts is one small request: dbt writes the code to
`compiled/<package>/<path of the source file>`, and the file has the name of its node (dbt: "About dbt
artifacts", "target-path"). A path from the list always exists.

A test with a name of 64 characters or more has a file with a shorter name: the beginning of its name and the
MD5 digest of the whole name (as dbt's `synthesize_generic_test_names` makes it).
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from dbtcloud.artifacts.run_results import NodeResult

_CODE_SUFFIXES = frozenset({".sql", ".py"})
_DIGEST = re.compile(r"_([0-9a-f]{32})$")


def with_compiled_paths(nodes: Iterable[NodeResult], paths: Iterable[str]) -> tuple[NodeResult, ...]:
    """Return the nodes with the paths of their compiled code.

    A node has no path unless exactly one of `paths` has its name.
    """
    found = _by_name(paths)
    return tuple(replace(node, compiled_path=_path(node, found)) for node in nodes)


def _path(node: NodeResult, found: Mapping[tuple[str, str], list[str]]) -> str | None:
    for name in _file_names(node):
        if candidates := found.get((node.package, name)):
            same_kind = [path for path in candidates if _guess_kind(path) == node.kind] or candidates
            return same_kind[0] if len(same_kind) == 1 else None
    return None


def _file_names(node: NodeResult) -> Iterator[str]:
    """Yield the names, without suffix, that a node's file can have.

    The last one is the digest at the end of a shortened name.
    A version of a model is in `orders_v2.sql` or in `orders.sql` (dbt: "Model versions").
    """
    yield node.name
    yield node.name.replace(".v", "_v")
    yield node.name.rpartition(".v")[0] or node.name
    yield hashlib.md5(node.name.encode(), usedforsecurity=False).hexdigest()


def _guess_kind(path: str) -> str:
    """Return the kind of node that a project usually keeps in the path's folder, or ""."""
    folders = path.split("/")[2:-1]
    if any(folder.endswith((".yml", ".yaml")) for folder in folders):
        return "test"
    return {"models": "model", "tests": "test", "snapshots": "snapshot"}.get(
        folders[0] if folders else "", ""
    )


def _by_name(paths: Iterable[str]) -> Mapping[tuple[str, str], list[str]]:
    """Return the paths of compiled code by package and file name, a shortened name also by its digest."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        folder, _, below = path.partition("/")
        package, _, file = below.partition("/")
        name, dot, suffix = file.rpartition("/")[2].rpartition(".")
        if folder == "compiled" and f"{dot}{suffix}" in _CODE_SUFFIXES:
            found[package, name].append(path)
            if shortened := _DIGEST.search(name):
                found[package, shortened[1]].append(path)
    return found
