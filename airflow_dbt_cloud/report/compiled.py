"""Finds the compiled code of nodes among a run's artifacts.

run_results.json does not say where a node's compiled code lies, and manifest.json, which does, can have
hundreds of megabytes. The list of the run's artifacts tells the same in one small request: dbt puts the code
into `compiled/<package>/<path of the source file>`, and the file is named after its node (dbt: "About dbt
artifacts", "target-path"). Being a list of what is there, it never names a file that the run did not leave.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from airflow_dbt_cloud.artifacts.run_results import NodeResult

CODE = frozenset({".sql", ".py"})
"""Endings of files with a node's code."""


def located(nodes: Iterable[NodeResult], paths: Iterable[str]) -> tuple[NodeResult, ...]:
    """The nodes, each with its compiled code's path where exactly one of `paths` is named after it."""
    found = _by_name(paths)
    return tuple(replace(node, compiled_path=_path(node, found)) for node in nodes)


def _path(node: NodeResult, found: Mapping[tuple[str, str], list[str]]) -> str | None:
    """A version of a model lies in `orders_v2.sql`, or in `orders.sql` (dbt: "Model versions")."""
    unversioned = node.name.rpartition(".v")[0] or node.name
    for name in (node.name, node.name.replace(".v", "_v"), unversioned):
        if candidates := found.get((node.package, name)):
            return candidates[0] if len(candidates) == 1 else None
    return None


def _by_name(paths: Iterable[str]) -> Mapping[tuple[str, str], list[str]]:
    """Paths of compiled code by package and file name without its ending."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        parts = PurePosixPath(path)
        if len(parts.parts) > 2 and parts.parts[0] == "compiled" and parts.suffix in CODE:
            found[parts.parts[1], parts.stem].append(path)
    return found
