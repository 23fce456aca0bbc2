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
_APPLIED_NODE, _APPLIED_NESTED = ("EnvironmentAppliedNode",), ("EnvironmentAppliedNestedNode",)
_DEFINITION_NODE, _DEFINITION_NESTED = ("EnvironmentDefinitionNode",), ("EnvironmentDefinitionNestedNode",)
_JOB_NODE = ("CloudArtifactInterface", "NodeInterface")
_LINEAGE_NODE = ("LineageNode", "LineageGraphNode")
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

_APPLIED_TYPES: dict[str, _Type] = {
    "ModelAppliedStateNode": (
        _APPLIED_NODE,
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
            _related("Applied", "parents", "children", "ancestors", "tests"),
        ),
    ),
    "ModelAppliedStateNestedNode": (
        _APPLIED_NESTED,
        (group.TABLE, group.MODEL, group.STATUSES, _execution("Model")),
    ),
    "SeedAppliedStateNode": (
        _APPLIED_NODE,
        (
            group.TABLE,
            group.FQN,
            group.SEED,
            group.CATALOG,
            _execution("Seed"),
            _related("Applied", "children", "tests"),
        ),
    ),
    "SeedAppliedStateNestedNode": (_APPLIED_NESTED, (group.TABLE, _execution("Seed"))),
    "SnapshotAppliedStateNode": (
        _APPLIED_NODE,
        (
            group.TABLE,
            group.FQN,
            group.CODE,
            group.CONFIG,
            group.CATALOG,
            group.SNAPSHOT,
            _execution("Snapshot"),
            _related("Applied", "parents", "children", "tests"),
        ),
    ),
    "SnapshotAppliedStateNestedNode": (_APPLIED_NESTED, (group.TABLE, _execution("Snapshot"))),
    "SourceAppliedStateNode": (
        _APPLIED_NODE,
        (group.SOURCE, group.FQN, group.FRESHNESS, group.CATALOG, _related("Applied", "children", "tests")),
    ),
    "SourceAppliedStateNestedNode": (_APPLIED_NESTED, (group.SOURCE, group.FRESHNESS, group.STATUSES)),
    "TestAppliedStateNode": (
        _APPLIED_NODE,
        (
            group.TEST,
            group.FQN,
            group.CODE,
            group.CONFIG,
            _execution("Test"),
            _related("Applied", "parents"),
            "testMetadata: TestMetadata!",
            "testedNodeUniqueId: String",
            group.UNIT_TEST,
            group.LAST_RESULT,
            "dependsOnMacros: [MacroDefinitionNestedNode!]!",
        ),
    ),
    "TestAppliedStateNestedNode": (
        _APPLIED_NESTED,
        (group.TEST, group.LAST_RESULT, _execution("Test"), "testMetadata: TestMetadata!"),
    ),
    "ExposureAppliedStateNode": (
        _APPLIED_NODE,
        (
            group.EXPOSURE,
            group.FQN,
            "manifestGeneratedAt: DateTime",
            _related("Applied", "parents", "ancestors"),
        ),
    ),
    "ExposureAppliedStateNestedNode": (_APPLIED_NESTED, (group.EXPOSURE,)),
    "ExternalModelNode": (_APPLIED_NESTED, ()),
}
_DEFINITION_TYPES: dict[str, _Type] = {
    "ModelDefinitionNode": (
        _DEFINITION_NODE,
        (
            group.TABLE,
            group.FQN,
            group.MODEL,
            group.MODEL_CODE,
            group.RUN,
            _related("Definition", "parents", "children", "ancestors", "tests"),
        ),
    ),
    "ModelDefinitionNestedNode": (_DEFINITION_NESTED, (group.TABLE, group.MODEL, group.RUN)),
    "SeedDefinitionNode": (
        _DEFINITION_NODE,
        (group.TABLE, group.FQN, group.RUN, _related("Definition", "children")),
    ),
    "SeedDefinitionNestedNode": (_DEFINITION_NESTED, (group.TABLE, group.RUN)),
    "SnapshotDefinitionNode": (
        _DEFINITION_NODE,
        (group.TABLE, group.FQN, group.RUN, "rawCode: String", _related("Definition", "parents", "children")),
    ),
    "SnapshotDefinitionNestedNode": (_DEFINITION_NESTED, (group.TABLE, group.RUN)),
    "SourceDefinitionNode": (
        _DEFINITION_NODE,
        (group.SOURCE, group.FQN, _related("Definition", "children", "tests")),
    ),
    "SourceDefinitionNestedNode": (_DEFINITION_NESTED, (group.SOURCE,)),
    "TestDefinitionNode": (
        _DEFINITION_NODE,
        (
            group.TEST,
            group.FQN,
            group.RUN,
            "rawCode: String\ntestedNodeUniqueId: String",
            _related("Definition", "parents"),
        ),
    ),
    "TestDefinitionNestedNode": (_DEFINITION_NESTED, (group.TEST, group.RUN)),
    "ExposureDefinitionNode": (
        _DEFINITION_NODE,
        (group.EXPOSURE, group.FQN, group.RUN, _related("Definition", "parents", "ancestors")),
    ),
    "ExposureDefinitionNestedNode": (_DEFINITION_NESTED, (group.EXPOSURE, group.RUN)),
    "GroupNode": (
        (),
        (group.IDENTITY, "ownerName: String\nownerEmail: String", "models: [ModelDefinitionNestedNode!]!"),
    ),
}
_IN_BOTH_STATES: dict[str, _Type] = {
    "MacroDefinitionNode": (_APPLIED_NODE + _DEFINITION_NODE, (group.MACRO, group.RUN)),
    "MacroDefinitionNestedNode": (_APPLIED_NESTED + _DEFINITION_NESTED, (group.MACRO, group.RUN)),
    "MetricDefinitionNode": (
        _APPLIED_NODE + _DEFINITION_NODE,
        (group.METRIC, group.FQN, group.RUN, _related("Definition", "parents", "children")),
    ),
    "MetricDefinitionNestedNode": (
        _APPLIED_NESTED + _DEFINITION_NESTED,
        (group.METRIC, group.FQN, group.RUN),
    ),
    **{
        f"{kind}{form}": (
            interfaces,
            ("packageName: String\npatchPath: String\nlabel: String", group.FQN, group.RUN, related, *own),
        )
        for kind, own in (("SavedQuery", ()), ("SemanticModel", (group.SEMANTIC_MODEL,)))
        for form, interfaces, related in (
            (
                "DefinitionNode",
                _APPLIED_NODE + _DEFINITION_NODE,
                _related("Definition", "parents", "children"),
            ),
            ("DefinitionNestedNode", _APPLIED_NESTED + _DEFINITION_NESTED, ""),
        )
    },
}
_JOB_TYPES: dict[str, _Type] = {
    "ModelNode": (
        _JOB_NODE,
        (
            group.DATABASE,
            group.JOB_CATALOG,
            group.JOB_RESULT,
            group.CURSOR,
            group.CHILD_IDS,
            group.DEPENDS_ON,
            group.JOB_PARENTS,
            group.JOB_TESTS,
            group.JOB_MODEL,
        ),
    ),
    "SeedNode": (
        _JOB_NODE,
        (
            group.DATABASE,
            group.JOB_CATALOG,
            group.JOB_RESULT,
            group.CURSOR,
            group.CHILD_IDS,
            "thread_id: String",
        ),
    ),
    "SnapshotNode": (
        _JOB_NODE,
        (
            group.DATABASE,
            group.JOB_CATALOG,
            group.JOB_RESULT,
            group.CURSOR,
            group.CHILD_IDS,
            group.JOB_PARENTS,
        ),
    ),
    "TestNode": (_JOB_NODE, (group.JOB_RESULT, group.CURSOR, group.DEPENDS_ON, group.JOB_TEST)),
    "SourceNode": (
        _JOB_NODE,
        (group.JOB_CATALOG, group.CURSOR, group.CHILD_IDS, group.JOB_TESTS, group.JOB_SOURCE),
    ),
    "ExposureNode": (_JOB_NODE, (group.CURSOR, group.DEPENDS_ON, group.JOB_PARENTS, group.JOB_EXPOSURE)),
    "MacroNode": (_JOB_NODE, (group.CURSOR, group.DEPENDS_ON, "packageName: String\nmacroSql: String")),
    "MetricNode": (_JOB_NODE, (group.CURSOR, group.DEPENDS_ON, "packageName: String\nlabel: String")),
    "SemanticModelNode": (
        _JOB_NODE,
        (group.CURSOR, group.DEPENDS_ON, "packageName: String\nlabel: String", group.SEMANTIC_MODEL),
    ),
}
_LINEAGE_TYPES: dict[str, _Type] = {
    f"{kind}LineageNode": (_LINEAGE_NODE + tuple(f"LineageNode{each}" for each in more), (own,))
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
_EXECUTION_TYPES: dict[str, _Type] = {
    f"{kind}ExecutionInfoNode": ((), (_EXECUTION,)) for kind in ("", "Model", "Seed", "Snapshot", "Test")
}

OBJECT_TYPES: dict[str, _Type] = {
    **_APPLIED_TYPES,
    **_DEFINITION_TYPES,
    **_IN_BOTH_STATES,
    **_JOB_TYPES,
    **_LINEAGE_TYPES,
    **_EXECUTION_TYPES,
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
