"""Selects single nodes in the syntax of dbt's `--select`, so that dbt executes these and no others.

dbt cannot select by unique id. A node's name alone is not enough: `fqn:orders` also selects every node below
a folder of that name, and nodes of other packages. Further methods narrow it (dbt: "Node selector methods").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from dbtcloud.artifacts.run_results import NodeResult

# Kinds of nodes that have the name of their file, except versions of a model and tests in a YAML file.
_NAMED_AS_THEIR_FILE = frozenset({"model", "seed", "test"})

_SELECTABLE = re.compile(r"[\w$-]+(\.[\w$-]+)*")
_HASH = re.compile(r"[0-9a-f]{10}")
_VERSION = re.compile(r"_v[\w.-]+$")


class NodeSelector:
    """Selects single nodes for one dbt command.

    Args:
        subcommand: dbt's subcommand. Only `build` executes nodes of several kinds.
        known: All nodes of the run.
        project: The unique ids of further nodes of the project.
    """

    def __init__(self, subcommand: str, known: Iterable[NodeResult], project: Iterable[str] = ()) -> None:
        self._subcommand = subcommand
        self._known = {node.unique_id: node for node in known}
        self._project = self._known.keys() | set(project)

    def selection_of(self, node: NodeResult) -> str | None:
        """Return the value of `--select` that selects one node.

        Returns:
            None if dbt cannot select the node: it is a hook, its name has characters of the selection
            syntax, or it is a unit test of which it is not known whether its model has versions.
        """
        if node.kind == "unit_test":
            return self._selection_of_unit_test(node)
        name, package = _selectable_name(node), _package(node)
        if node.kind == "operation" or not (_SELECTABLE.fullmatch(name) and _SELECTABLE.fullmatch(package)):
            return None
        terms = [f"fqn:{name}", f"package:{package}"]
        if _is_named_as_its_file(node):
            terms.append(f"file:{name}")
        if self._subcommand == "build":
            terms.append(f"resource_type:{node.kind}")
        return ",".join(terms)

    def _selection_of_unit_test(self, node: NodeResult) -> str | None:
        found, package = self._unit_test_and_model(node), _package(node)
        if found is None or not all(map(_SELECTABLE.fullmatch, (*found, package))):
            return None
        name, model = found
        # Its model and the nodes right after it: that tells unit tests of the same name apart.
        return f"fqn:{name},package:{package},fqn:{model}+1,resource_type:unit_test"

    def _unit_test_and_model(self, node: NodeResult) -> tuple[str, str] | None:
        """Return the name of a unit test and of its model, with the model's version, or None if unknown.

        If the model has versions, the unit test's unique id ends in one, but its name for dbt does not: the
        id of `total` is `total_v2` in dbt Core and `total.v2` in dbt 2.0.
        """
        package, model, *names = (*node.unique_id.split(".")[1:], "", "")
        name, unversioned = ".".join(filter(None, names)), f"model.{package}.{model}"
        if unversioned in self._project:
            return name, model
        for version in self._versions(f"{unversioned}.v"):
            for end in (f"_v{version}", f".v{version}"):
                if name.endswith(end):
                    return name.removesuffix(end), f"{model}.v{version}"
        plain, is_of_dbt_2, version = name.partition(".v")
        if is_of_dbt_2:
            return plain, f"{model}.v{version}"
        return None if _VERSION.search(name) else (name, model)

    def _versions(self, prefix: str) -> list[str]:
        """Return the versions of a model, the longest first, so that none is taken for the end of another."""
        found = [each.removeprefix(prefix) for each in self._project if each.startswith(prefix)]
        return sorted(found, key=len, reverse=True)

    def indistinguishable(self, wanted: Collection[NodeResult]) -> list[NodeResult]:
        """Return the other nodes that have the same selection as a wanted one."""
        selections = {self.selection_of(node) for node in wanted}
        return [node for node in self._others(wanted) if self.selection_of(node) in selections]

    def ambiguous_snapshots(self, wanted: Collection[NodeResult]) -> list[NodeResult]:
        """Return the wanted snapshots whose selection may also match other snapshots of their package.

        `fqn` also matches snapshots in a file or a folder of that name, and no other method narrows that.
        """
        others = {_package(node) for node in self._others(wanted) if node.kind == "snapshot"}
        return [node for node in wanted if node.kind == "snapshot" and _package(node) in others]

    def _others(self, wanted: Iterable[NodeResult]) -> list[NodeResult]:
        ids = {node.unique_id for node in wanted}
        return [node for node in self._known.values() if node.unique_id not in ids]


def _selectable_name(node: NodeResult) -> str:
    """Return the name by which dbt selects a node: with a model's version, without a test's hash."""
    parts = node.unique_id.split(".")[2:]
    if node.kind == "test" and len(parts) > 1 and _HASH.fullmatch(parts[-1]):
        parts = parts[:-1]
    return ".".join(parts)


def _package(node: NodeResult) -> str:
    return node.unique_id.split(".")[1] if node.unique_id.count(".") > 1 else ""


def _is_named_as_its_file(node: NodeResult) -> bool:
    return node.kind in _NAMED_AS_THEIR_FILE and node.unique_id.count(".") == "kind.package.name".count(".")
