"""The object types of the Discovery API, as lists of field groups.

dbt publishes no schema file. Names, types and arguments come from the introspection of its service (2025),
and from the queries of its own clients and docs.
"""

from typing import TypeAlias

from dbtcloud.local.discovery import field_groups as group


def _execution(kind: str) -> str:
    return f"executionInfo: {kind}ExecutionInfoNode!"


def _related(state: str, *names: str) -> str:
    """Return the fields of a node that lead to related nodes, in their nested form."""
    fields = {
        "parents": f"parents: [Environment{state}NestedNode!]!",
        "children": f"children: [Environment{state}NestedNode!]!",
        "ancestors": f"ancestors(types: [AncestorNodeType!]): [Environment{state}NestedNode!]!",
        "tests": f"tests: [Test{'AppliedState' if state == 'Applied' else state}NestedNode!]!",
    }
    return "\n".join(fields[name] for name in names)


_Type: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
_A, _AN = ("EnvironmentAppliedNode",), ("EnvironmentAppliedNestedNode",)
_D, _DN = ("EnvironmentDefinitionNode",), ("EnvironmentDefinitionNestedNode",)
_JOB = ("CloudArtifactInterface", "NodeInterface")
_GRAPH = ("LineageNode", "LineageGraphNode")
_EXECUTION = """
compileStartedAt: DateTime
compileCompletedAt: DateTime
executeStartedAt: DateTime
executeCompletedAt: DateTime
executionTime: Float
lastJobDefinitionId: BigInt
lastRunError: String
lastRunFailures: Int
lastRunGeneratedAt: DateTime
lastRunId: BigInt
lastRunStatus: String
lastSuccessJobDefinitionId: BigInt
lastSuccessRunId: BigInt
runElapsedTime: Float
runGeneratedAt: DateTime
"""

_APPLIED: dict[str, _Type] = {
    "ModelAppliedStateNode": (
        _A,
        (
            group.TABLE,
            group.FQN,
            group.MODEL,
            group.MODEL_CODE,
            group.RELATION,
            group.CODE,
            group.CONFIG,
            group.CATALOG,
            _execution("Model"),
        )
        + (_related("Applied", "parents", "children", "ancestors", "tests"),),
    ),
    "ModelAppliedStateNestedNode": (_AN, (group.TABLE, group.MODEL, group.STATUSES, _execution("Model"))),
    "SeedAppliedStateNode": (
        _A,
        (
            group.TABLE,
            group.FQN,
            group.SEED,
            group.CATALOG,
            _execution("Seed"),
            _related("Applied", "children", "tests"),
        ),
    ),
    "SeedAppliedStateNestedNode": (_AN, (group.TABLE, _execution("Seed"))),
    "SnapshotAppliedStateNode": (
        _A,
        (
            group.TABLE,
            group.FQN,
            group.CODE,
            group.CONFIG,
            group.CATALOG,
            group.SNAPSHOT,
            _execution("Snapshot"),
        )
        + (_related("Applied", "parents", "children", "tests"),),
    ),
    "SnapshotAppliedStateNestedNode": (_AN, (group.TABLE, _execution("Snapshot"))),
    "SourceAppliedStateNode": (
        _A,
        (group.SOURCE, group.FQN, group.FRESHNESS, group.CATALOG, _related("Applied", "children", "tests")),
    ),
    "SourceAppliedStateNestedNode": (_AN, (group.SOURCE, group.FRESHNESS, group.STATUSES)),
    "TestAppliedStateNode": (
        _A,
        (group.TEST, group.FQN, group.CODE, group.CONFIG, _execution("Test"), _related("Applied", "parents"))
        + ("testMetadata: TestMetadata!", "testedNodeUniqueId: String", group.UNIT_TEST, group.KNOWN_RESULT)
        + ("dependsOnMacros: [MacroDefinitionNestedNode!]!",),
    ),
    "TestAppliedStateNestedNode": (
        _AN,
        (group.TEST, group.KNOWN_RESULT, _execution("Test"), "testMetadata: TestMetadata!"),
    ),
    "ExposureAppliedStateNode": (
        _A,
        (group.EXPOSURE, group.FQN, "manifestGeneratedAt: DateTime")
        + (_related("Applied", "parents", "ancestors"),),
    ),
    "ExposureAppliedStateNestedNode": (_AN, (group.EXPOSURE,)),
    "ExternalModelNode": (_AN, ()),
}
_DEFINITION: dict[str, _Type] = {
    "ModelDefinitionNode": (
        _D,
        (group.TABLE, group.FQN, group.MODEL, group.MODEL_CODE, group.RUN)
        + (_related("Definition", "parents", "children", "ancestors", "tests"),),
    ),
    "ModelDefinitionNestedNode": (_DN, (group.TABLE, group.MODEL, group.RUN)),
    "SeedDefinitionNode": (_D, (group.TABLE, group.FQN, group.RUN, _related("Definition", "children"))),
    "SeedDefinitionNestedNode": (_DN, (group.TABLE, group.RUN)),
    "SnapshotDefinitionNode": (
        _D,
        (group.TABLE, group.FQN, group.RUN, "rawCode: String", _related("Definition", "parents", "children")),
    ),
    "SnapshotDefinitionNestedNode": (_DN, (group.TABLE, group.RUN)),
    "SourceDefinitionNode": (_D, (group.SOURCE, group.FQN, _related("Definition", "children", "tests"))),
    "SourceDefinitionNestedNode": (_DN, (group.SOURCE,)),
    "TestDefinitionNode": (
        _D,
        (
            group.TEST,
            group.FQN,
            group.RUN,
            "rawCode: String\ntestedNodeUniqueId: String",
            _related("Definition", "parents"),
        ),
    ),
    "TestDefinitionNestedNode": (_DN, (group.TEST, group.RUN)),
    "ExposureDefinitionNode": (
        _D,
        (group.EXPOSURE, group.FQN, group.RUN, _related("Definition", "parents", "ancestors")),
    ),
    "ExposureDefinitionNestedNode": (_DN, (group.EXPOSURE, group.RUN)),
    "GroupNode": (
        (),
        (group.IDENTITY, "ownerName: String\nownerEmail: String", "models: [ModelDefinitionNestedNode!]!"),
    ),
}
_EITHER: dict[str, _Type] = {
    "MacroDefinitionNode": (_A + _D, (group.MACRO, group.RUN)),
    "MacroDefinitionNestedNode": (_AN + _DN, (group.MACRO, group.RUN)),
    "MetricDefinitionNode": (
        _A + _D,
        (group.METRIC, group.FQN, group.RUN, _related("Definition", "parents", "children")),
    ),
    "MetricDefinitionNestedNode": (_AN + _DN, (group.METRIC, group.FQN, group.RUN)),
    **{
        f"{kind}{form}": (
            interfaces,
            ("packageName: String\npatchPath: String\nlabel: String", group.FQN, group.RUN, related, *own),
        )
        for kind, own in (("SavedQuery", ()), ("SemanticModel", (group.SEMANTIC_MODEL,)))
        for form, interfaces, related in (
            ("DefinitionNode", _A + _D, _related("Definition", "parents", "children")),
            ("DefinitionNestedNode", _AN + _DN, ""),
        )
    },
}
_OF_A_JOB: dict[str, _Type] = {
    "ModelNode": (
        _JOB,
        (
            group.DATABASE,
            group.CATALOGUED,
            group.RAN,
            group.CURSOR,
            group.CHILD_IDS,
            group.DEPENDS,
            group.PARENTS_OF_RUN,
            group.TESTS_OF_RUN,
            group.JOB_MODEL,
        ),
    ),
    "SeedNode": (
        _JOB,
        (group.DATABASE, group.CATALOGUED, group.RAN, group.CURSOR, group.CHILD_IDS, "thread_id: String"),
    ),
    "SnapshotNode": (
        _JOB,
        (group.DATABASE, group.CATALOGUED, group.RAN, group.CURSOR, group.CHILD_IDS, group.PARENTS_OF_RUN),
    ),
    "TestNode": (_JOB, (group.RAN, group.CURSOR, group.DEPENDS, group.JOB_TEST)),
    "SourceNode": (
        _JOB,
        (group.CATALOGUED, group.CURSOR, group.CHILD_IDS, group.TESTS_OF_RUN, group.JOB_SOURCE),
    ),
    "ExposureNode": (_JOB, (group.CURSOR, group.DEPENDS, group.PARENTS_OF_RUN, group.JOB_EXPOSURE)),
    "MacroNode": (_JOB, (group.CURSOR, group.DEPENDS, "packageName: String\nmacroSql: String")),
    "MetricNode": (_JOB, (group.CURSOR, group.DEPENDS, "packageName: String\nlabel: String")),
    "SemanticModelNode": (
        _JOB,
        (group.CURSOR, group.DEPENDS, "packageName: String\nlabel: String", group.SEMANTIC_MODEL),
    ),
}
_LINEAGES: dict[str, _Type] = {
    f"{kind}LineageNode": (_GRAPH + tuple(f"LineageNode{each}" for each in more), (own,))
    for kind, more, own in (
        ("Model", ("Executable", "Testable", "WithParents"), "modelingLayer: String"),
        ("Snapshot", ("Executable", "Testable", "WithParents"), ""),
        ("Seed", ("Executable", "Testable"), ""),
        ("Source", ("Testable",), "sourceName: String\nlastRunStatus: String"),
        ("Test", ("Executable", "WithParents"), ""),
        ("Exposure", ("WithParents",), ""),
        ("Macro", (), ""),
        ("Metric", ("WithParents",), ""),
        ("SavedQuery", ("WithParents",), ""),
        ("SemanticModel", ("WithParents",), ""),
    )
}
_EXECUTIONS: dict[str, _Type] = {
    f"{kind}ExecutionInfoNode": ((), (_EXECUTION,)) for kind in ("", "Model", "Seed", "Snapshot", "Test")
}

OBJECT_TYPES: dict[str, _Type] = {
    **_APPLIED,
    **_DEFINITION,
    **_EITHER,
    **_OF_A_JOB,
    **_LINEAGES,
    **_EXECUTIONS,
}
"""Object type -> its interfaces, and the groups of its other fields."""


def _filtered(name: str) -> str:
    return f"filter: {name}"


_MATERIALIZED = _filtered("GenericMaterializedFilter")

STATE_TYPES: dict[str, dict[str, tuple[str, ...]]] = {
    "AppliedState": {
        "models": ("ModelAppliedStateNode", _filtered("ModelAppliedFilter"), "sort: AppliedModelSort"),
        "tests": ("TestAppliedStateNode", _filtered("TestAppliedFilter")),
        "sources": ("SourceAppliedStateNode", _filtered("SourceAppliedFilter")),
        "seeds": ("SeedAppliedStateNode", _MATERIALIZED),
        "snapshots": ("SnapshotAppliedStateNode", _MATERIALIZED),
        "exposures": ("ExposureAppliedStateNode", _filtered("ExposureFilter")),
        "resources": ("EnvironmentAppliedNode", _filtered("AppliedResourcesFilter!")),
    },
    "DefinitionState": {
        "models": ("ModelDefinitionNode", _filtered("ModelDefinitionFilter")),
        "tests": ("TestDefinitionNode", _filtered("TestDefinitionFilter")),
        "sources": ("SourceDefinitionNode", _filtered("SourceDefinitionFilter")),
        "seeds": ("SeedDefinitionNode", _MATERIALIZED),
        "snapshots": ("SnapshotDefinitionNode", _MATERIALIZED),
        "exposures": ("ExposureDefinitionNode", _filtered("ExposureFilter")),
        "macros": ("MacroDefinitionNode", _filtered("MacroDefinitionFilter")),
        "metrics": ("MetricDefinitionNode", _MATERIALIZED),
        "savedQueries": ("SavedQueryDefinitionNode", _MATERIALIZED),
        "semanticModels": ("SemanticModelDefinitionNode", _MATERIALIZED),
        "groups": ("GroupNode", _filtered("GroupFilter")),
        "resources": ("EnvironmentDefinitionNode", _filtered("DefinitionResourcesFilter!")),
    },
}
"""State type -> its lists: the type of their nodes, and their arguments beside those of paging."""
