"""What can be asked: an environment's states, a job's runs, and the lists in them."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dbtcloud.local.discovery.archive import Archive
from dbtcloud.local.discovery.executions import moment
from dbtcloud.local.discovery.filters import ordered, passes
from dbtcloud.local.discovery.limits import refuse
from dbtcloud.local.discovery.lineage import lineage
from dbtcloud.local.discovery.nodes import Json, Node, Result
from dbtcloud.local.discovery.paging import connection, part
from dbtcloud.local.discovery.records import RunArtifacts
from dbtcloud.local.discovery.states import MOST_HISTORICAL_RUNS, Flavour, State, state_of_run
from dbtcloud.local.discovery.traits import tags
from dbtcloud.local.discovery.views import View

_LISTS: Mapping[str, str] = {
    "models": "Model",
    "tests": "Test",
    "sources": "Source",
    "seeds": "Seed",
    "snapshots": "Snapshot",
    "exposures": "Exposure",
    "macros": "Macro",
    "metrics": "Metric",
    "savedQueries": "SavedQuery",
    "semanticModels": "SemanticModel",
    "groups": "Group",
}
_SINGLE: Mapping[str, str] = {name: name.removesuffix("s") for name in list(_LISTS)[:8]}
_ANSWERED = frozenset({"Group"})


class Questions:
    """The entry points of the schema, over an archive, for what a token may see.

    Args:
        archive: the finished runs.
        accounts: the accounts whose environments and jobs are there for the asker; None for all.
    """

    def __init__(self, archive: Archive, accounts: frozenset[int] | None = None) -> None:
        self._archive, self._accounts = archive, accounts

    def environment(self, id: int) -> dict[str, Any]:  # noqa: A002 - GraphQL's argument
        """Return an environment with its two states."""
        states = self._archive.environment(id, self._accounts)
        if states is None:
            raise refuse(f"There is no environment {id}, or the token may not see it.", "NOT_FOUND")
        record = states.definition.record
        return {
            "dbtProjectName": record and record.project_name,
            "adapterType": record and record.adapter_type,
            "applied": _applied(states.applied),
            "definition": _state(states.definition),
        }

    def job(self, id: int, runId: int | None = None) -> dict[str, Any]:  # noqa: A002, N803 - GraphQL's arguments
        """Return what one run of a job made of its project."""
        record = self._archive.run(id, runId, self._accounts)
        if record is None:
            which = "finished run" if runId is None else f"finished run {runId}"
            raise refuse(f"Job {id} has no {which}, or the token may not see it.", "NOT_FOUND")
        return _run(id, record)


def _applied(state: State) -> dict[str, Any]:
    def historical(**asked: Any) -> list[View]:
        return _historical_runs(state, **asked)

    def owners(resource: str) -> list[dict[str, Any]]:
        return _owners(state, resource)

    return {**_state(state), "latestGitSha": None, "modelHistoricalRuns": historical, "owners": owners}


def _state(state: State) -> dict[str, Any]:
    kinds = {node.kind for node in state.nodes.values()} - _ANSWERED
    return {
        "lastUpdatedAt": moment(state.last_updated_at),
        "resourceCounts": lambda: dict(sorted(Counter(node.kind for node in state.of_kind(kinds)).items())),
        "tags": lambda: _tags(state),
        "lineage": lambda filter: lineage(state, filter),  # noqa: A006 - GraphQL's argument
        "packages": lambda resource: _packages(state, resource),
        "resources": _pages(state, frozenset(kinds)),
        **{name: _pages(state, frozenset({kind})) for name, kind in _LISTS.items()},
    }


def _pages(state: State, kinds: frozenset[str]) -> Callable[..., dict[str, Any]]:
    def page(
        first: int | None = None,
        after: str | None = None,
        filter: Json | None = None,  # noqa: A002 - GraphQL's argument
        sort: Json | None = None,
    ) -> dict[str, Any]:
        views = [View(node, state) for node in state.of_kind(kinds) if passes(node, filter)]
        return connection(ordered(views, sort), first, after)

    return page


def _run(job_id: int, record: RunArtifacts) -> dict[str, Any]:
    state = state_of_run(record)
    lists = {name: _part(state, kind) for name, kind in _LISTS.items()}
    single = {_SINGLE[name]: _one(state, _LISTS[name]) for name in _SINGLE}
    return {"id": job_id, "runId": record.facts.run_id, **lists, **single}


def _part(state: State, kind: str) -> Callable[..., list[View]]:
    def page(first: int | None = None, after: str | None = None, **filters: Any) -> list[View]:
        return part(
            [View(node, state) for node in state.of_kind({kind}) if passes(node, filters)], first, after
        )

    return page


def _one(state: State, kind: str) -> Callable[..., View | None]:
    def find(uniqueId: str | None = None, name: str | None = None) -> View | None:  # noqa: N803 - GraphQL's
        found = (
            node for node in state.of_kind({kind}) if uniqueId == node.unique_id or _is_named(node, name)
        )
        return next((View(node, state) for node in found), None)

    return find


def _is_named(node: Node, name: str | None) -> bool:
    return name is not None and node.body.get("name") == name


def _historical_runs(
    state: State,
    uniqueId: str | None = None,  # noqa: N803 - GraphQL's
    identifier: str | None = None,
    lastRunCount: int | None = 1,  # noqa: N803 - GraphQL's
    withCatalog: bool | None = None,  # noqa: N803 - GraphQL's
) -> list[View]:
    count = 1 if lastRunCount is None else lastRunCount
    if not 1 <= count <= MOST_HISTORICAL_RUNS:
        raise refuse(f"Argument 'lastRunCount' is {count}; give 1 to {MOST_HISTORICAL_RUNS}.")
    asked = {"uniqueIds": None if uniqueId is None else [uniqueId], "identifier": identifier}
    nodes = [node for node in state.of_kind({"Model"}) if passes(node, asked)]
    return [
        _then(state, node, result, catalog=bool(withCatalog))
        for node in nodes
        for result in node.history[:count]
    ]


def _then(state: State, node: Node, result: Result, *, catalog: bool) -> View:
    """The model as it was after one of its runs, in the words of `job`."""
    past = State(Flavour.JOB, state.nodes, state.record)
    shown = replace(
        node, facts=result.facts, last=result, success=result if result.good else None, history=(result,)
    )
    return View(shown if catalog else replace(shown, catalog=None), past)


def _tags(state: State) -> list[dict[str, str]]:
    return [{"name": tag} for tag in sorted({tag for node in state.nodes.values() for tag in tags(node)})]


def _packages(state: State, resource: str) -> list[str]:
    kind = resource.capitalize()
    return sorted({str(node.body.get("package_name")) for node in state.of_kind({kind})})


def _owners(state: State, resource: str) -> list[dict[str, Any]]:
    owners = [node.body.get("owner") or {} for node in state.of_kind({resource.capitalize()})]
    pairs = {(owner.get("name"), owner.get("email")) for owner in owners}
    return [{"name": name, "email": email} for name, email in sorted(pairs, key=str)]
