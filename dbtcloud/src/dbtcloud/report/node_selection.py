"""Says which nodes are meant in the words of dbt's `--select`, so that they and no others are.

dbt selects by no unique id. A node's name is not enough either: `fqn:orders` also means every node below a
folder of that name, and other packages' nodes. So a name is narrowed by further methods ("Node selector
methods").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from dbtcloud.artifacts.run_results import NodeResult

_NAMED_AS_THEIR_FILE = frozenset({"model", "seed", "test"})
"""Kinds of nodes whose file has their name, unless they are versions of a model or tests in a YAML file."""

_SELECTABLE = re.compile(r"[\w$-]+(\.[\w$-]+)*")
_HASH = re.compile(r"[0-9a-f]{10}")


def _selectable_name(node: NodeResult) -> str:
    """The name by which dbt selects a node: with a model's version, without a test's hash."""
    parts = node.unique_id.split(".")[2:]
    if node.kind == "unit_test":
        return ".".join(parts[1:])
    if node.kind == "test" and len(parts) > 1 and _HASH.fullmatch(parts[-1]):
        parts = parts[:-1]
    return ".".join(parts)


def package(node: NodeResult) -> str:
    """The package that a node belongs to."""
    return node.unique_id.split(".")[1] if node.unique_id.count(".") > 1 else ""


def selector(node: NodeResult, verb: str) -> str | None:
    """What `--select` takes for one node.

    Args:
        node: The node.
        verb: The command's; only `build` builds nodes of several kinds.

    Returns:
        None where dbt cannot be told: the node is a hook, or its name holds what selection reads otherwise.
    """
    name, home = _selectable_name(node), package(node)
    if node.kind == "operation" or not (_SELECTABLE.fullmatch(name) and _SELECTABLE.fullmatch(home)):
        return None
    terms = [f"fqn:{name}", f"package:{home}"]
    if _is_named_as_its_file(node):
        terms.append(f"file:{name}")
    if node.kind == "unit_test":
        terms.append(f"fqn:{node.unique_id.split('.')[2]}+1")  # its model, and what follows right after
    if verb == "build":
        terms.append(f"resource_type:{node.kind}")
    return ",".join(terms)


def _is_named_as_its_file(node: NodeResult) -> bool:
    return node.kind in _NAMED_AS_THEIR_FILE and node.unique_id.count(".") == "kind.package.name".count(".")


def indistinguishable_nodes(
    wanted: Collection[NodeResult], known: Iterable[NodeResult], verb: str
) -> list[NodeResult]:
    """Known nodes that are not wanted and that dbt's selection cannot tell from one that is."""
    ids = {node.unique_id for node in wanted}
    others = {node.unique_id: node for node in known if node.unique_id not in ids}
    selectors = {selector(node, verb) for node in wanted}
    return [node for node in others.values() if selector(node, verb) in selectors]


def ambiguous_snapshots(wanted: Iterable[NodeResult], known: Iterable[NodeResult]) -> list[NodeResult]:
    """Wanted snapshots by whose name dbt may select others, too: of a file or a folder that is called so.

    Only of snapshots does neither their kind nor the name of their file say more; they count where the
    package has others, which are not wanted.
    """
    snapshots = [node for node in wanted if node.kind == "snapshot"]
    ids = {node.unique_id for node in snapshots}
    others = {package(node) for node in known if node.kind == "snapshot" and node.unique_id not in ids}
    return [node for node in snapshots if package(node) in others]
