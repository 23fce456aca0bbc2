"""The types of the Discovery API in GraphQL's schema language; what several types have are named groups.

dbt publishes no schema file. Names, types and arguments are those that its service tells of itself by
introspection (2025), and that its own clients and docs ask for.
"""

from typing import TypeAlias

_IDENTITY = """
uniqueId: String!
name: String
description: String
resourceType: String!
"""
_PLACE = f"{_IDENTITY}filePath: String!\n"
_OWNED = f"""{_PLACE}accountId: BigInt!
projectId: BigInt!
environmentId: BigInt!
meta: JSONObject
tags: [String!]!
"""
_LINEAGE = f"""{_PLACE}resourceType: ResourceNodeType!
access: String
alias: String
database: String
group: String
matchesMethod: Boolean
materializationType: String
parentIds: [String!]!
projectId: BigInt!
publicParentIds: [String!]!
schema: String
tags: [String!]!
version: String
"""


def _last(fields: str) -> str:
    """Leave of several definitions of a field the last."""
    lines = (line for line in fields.splitlines() if line)
    return "\n".join({line.split("(")[0].split(":")[0]: line for line in lines}.values())


INTERFACES = {
    "EnvironmentAppliedNode": _OWNED,
    "EnvironmentAppliedNestedNode": f"{_PLACE}fqn: [String!]\n",
    "EnvironmentDefinitionNode": f"{_OWNED}runGeneratedAt: DateTime\n",
    "EnvironmentDefinitionNestedNode": f"{_PLACE}runGeneratedAt: DateTime\n",
    "LineageNode": _last(_LINEAGE),
    "LineageGraphNode": _last(f"{_LINEAGE}fqn: [String!]!"),
    "LineageNodeExecutable": _last(f"{_LINEAGE}lastRunStatus: String"),
    "LineageNodeTestable": _last(f"{_LINEAGE}worstTestStatus: String"),
    "LineageNodeWithParents": _last(_LINEAGE),
    "CloudArtifactInterface": """
runId: BigInt!
accountId: BigInt!
projectId: BigInt!
environmentId: BigInt!
jobId: BigInt!
""",
    "NodeInterface": f"{_IDENTITY}meta: JSONObject\ndbtVersion: String\ntags: [String!]\n",
}
"""Interface -> its fields, one a line."""

_TABLE = """
database: String
schema: String
alias: String
packageName: String
patchPath: String
dbtVersion: String
"""
_FQN = "fqn: [String!]!"
_RUN = "runId: BigInt\njobDefinitionId: BigInt"
_MODEL = """
access: String
contractEnforced: Boolean
group: String
latestVersion: String
materializedType: String
modelingLayer: String
releaseVersion: ReleaseVersion
version: String
"""
_MODEL_CODE = """
language: String
packages: [String!]!
deprecationDate: DateTime
constraints: [ModelLevelConstraint!]!
rawCode: String
"""
_SOURCE = """
database: String
schema: String
identifier: String
loader: String
patchPath: String
dbtVersion: String
sourceName: String
sourceDescription: String
"""
_TEST = "columnName: String\ndbtVersion: String\npatchPath: String\ntestType: TestType!"
_EXPOSURE = """
dbtVersion: String
exposureType: String
label: String
maturity: String
ownerEmail: String
ownerName: String
packageName: String
patchPath: String
url: String
freshnessStatus: FreshnessStatus
"""
_FRESHNESS = "freshness: SourceFreshnessNode!"
_CATALOG = "catalog: CatalogNode"
_STATUSES = "testStatuses: JSONObject!"
_CONFIG = "config: JSONObject"
_CODE = "rawCode: String\ncompiledCode: String"
_SEED = "path: String\ncompiledCode: String"
_SNAPSHOT = """
targetDatabase: String
targetSchema: String
strategy: String
primaryKey: String
snapshotExecutionInfo: ExecutionInfoNode
"""
_MACRO = "packageName: String\npatchPath: String\npath: String\nmacroSql: String"
_CATALOGUED = """
columns: [CatalogColumn!]
stats: [CatalogStat!]!
type: String
owner: String
comment: String
"""
_RAN = """
error: String
status: String
skip: Boolean
compileStartedAt: DateTime
compileCompletedAt: DateTime
executeStartedAt: DateTime
executeCompletedAt: DateTime
executionTime: Float
threadId: String
runGeneratedAt: DateTime
runElapsedTime: Float
invocationId: String
rawSql: String
rawCode: String
compiledSql: String
compiledCode: String
"""
_CURSOR = "paginationCursor: String"
_CHILD_IDS = "childrenL1: [String!]!"
_DEPENDS = "dependsOn: [String!]!"
_PARENTS_OF_RUN = "parentsModels: [ModelNode!]!\nparentsSources: [SourceNode!]!"
_TESTS_OF_RUN = "tests: [TestNode!]!"
_JOB_MODEL = """
access: String
language: String
materializedType: String
dbtGroup: String
packages: [String!]
runResults: [RunInfoNode!]!
"""
_JOB_TEST = """
columnName: String
language: String
state: String
fail: Boolean
warn: Boolean
"""
_JOB_SOURCE = """
database: String
schema: String
identifier: String
loader: String
sourceName: String
sourceDescription: String
state: FreshnessStatus
freshnessChecked: Boolean
maxLoadedAt: DateTime
maxLoadedAtTimeAgoInS: Float
snapshottedAt: DateTime
criteria: Criteria!
runGeneratedAt: DateTime
runElapsedTime: Float
"""
_JOB_EXPOSURE = """
label: String
maturity: String
ownerEmail: String
ownerName: String
url: String
packageName: String
exposureType: String
"""
_DATABASE = "database: String\nschema: String\nalias: String\npackageName: String"


def _execution(kind: str) -> str:
    return f"executionInfo: {kind}ExecutionInfoNode!"


def _related(state: str, *names: str) -> str:
    """Write the fields that lead to nodes beside one, each as nodes within others are."""
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
        (_TABLE, _FQN, _MODEL, _MODEL_CODE, _CODE, _CONFIG, _CATALOG, _execution("Model"))
        + (_related("Applied", "parents", "children", "ancestors", "tests"),),
    ),
    "ModelAppliedStateNestedNode": (_AN, (_TABLE, _MODEL, _STATUSES, _execution("Model"))),
    "SeedAppliedStateNode": (
        _A,
        (_TABLE, _FQN, _SEED, _CATALOG, _execution("Seed"), _related("Applied", "children", "tests")),
    ),
    "SeedAppliedStateNestedNode": (_AN, (_TABLE, _execution("Seed"))),
    "SnapshotAppliedStateNode": (
        _A,
        (_TABLE, _FQN, _CODE, _CONFIG, _CATALOG, _SNAPSHOT, _execution("Snapshot"))
        + (_related("Applied", "parents", "children", "tests"),),
    ),
    "SnapshotAppliedStateNestedNode": (_AN, (_TABLE, _execution("Snapshot"))),
    "SourceAppliedStateNode": (
        _A,
        (_SOURCE, _FQN, _FRESHNESS, _CATALOG, _related("Applied", "children", "tests")),
    ),
    "SourceAppliedStateNestedNode": (_AN, (_SOURCE, _FRESHNESS, _STATUSES)),
    "TestAppliedStateNode": (
        _A,
        (_TEST, _FQN, _CODE, _CONFIG, _execution("Test"), _related("Applied", "parents"))
        + ("testMetadata: TestMetadata!", "testedNodeUniqueId: String")
        + ("dependsOnMacros: [MacroDefinitionNestedNode!]!",),
    ),
    "TestAppliedStateNestedNode": (_AN, (_TEST, _execution("Test"), "testMetadata: TestMetadata!")),
    "ExposureAppliedStateNode": (_A, (_EXPOSURE, _FQN, _related("Applied", "parents", "ancestors"))),
    "ExposureAppliedStateNestedNode": (_AN, (_EXPOSURE,)),
    "ExternalModelNode": (_AN, ()),
}
_DEFINITION: dict[str, _Type] = {
    "ModelDefinitionNode": (
        _D,
        (_TABLE, _FQN, _MODEL, _MODEL_CODE, _RUN)
        + (_related("Definition", "parents", "children", "ancestors", "tests"),),
    ),
    "ModelDefinitionNestedNode": (_DN, (_TABLE, _MODEL, _RUN)),
    "SeedDefinitionNode": (_D, (_TABLE, _FQN, _RUN, _related("Definition", "children"))),
    "SeedDefinitionNestedNode": (_DN, (_TABLE, _RUN)),
    "SnapshotDefinitionNode": (
        _D,
        (_TABLE, _FQN, _RUN, "rawCode: String", _related("Definition", "parents", "children")),
    ),
    "SnapshotDefinitionNestedNode": (_DN, (_TABLE, _RUN)),
    "SourceDefinitionNode": (_D, (_SOURCE, _FQN, _related("Definition", "children", "tests"))),
    "SourceDefinitionNestedNode": (_DN, (_SOURCE,)),
    "TestDefinitionNode": (
        _D,
        (
            _TEST,
            _FQN,
            _RUN,
            "rawCode: String\ntestedNodeUniqueId: String",
            _related("Definition", "parents"),
        ),
    ),
    "TestDefinitionNestedNode": (_DN, (_TEST, _RUN)),
    "ExposureDefinitionNode": (_D, (_EXPOSURE, _FQN, _RUN, _related("Definition", "parents", "ancestors"))),
    "ExposureDefinitionNestedNode": (_DN, (_EXPOSURE, _RUN)),
    "GroupNode": (
        (),
        (_IDENTITY, "ownerName: String\nownerEmail: String", "models: [ModelDefinitionNestedNode!]!"),
    ),
}
_EITHER: dict[str, _Type] = {
    "MacroDefinitionNode": (_A + _D, (_MACRO, _RUN)),
    "MacroDefinitionNestedNode": (_AN + _DN, (_MACRO, _RUN)),
    **{
        f"{kind}{form}": (
            interfaces,
            ("packageName: String\npatchPath: String\nlabel: String", _FQN, _RUN, related),
        )
        for kind in ("Metric", "SavedQuery", "SemanticModel")
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
            _DATABASE,
            _CATALOGUED,
            _RAN,
            _CURSOR,
            _CHILD_IDS,
            _DEPENDS,
            _PARENTS_OF_RUN,
            _TESTS_OF_RUN,
            _JOB_MODEL,
        ),
    ),
    "SeedNode": (_JOB, (_DATABASE, _CATALOGUED, _RAN, _CURSOR, _CHILD_IDS, "thread_id: String")),
    "SnapshotNode": (_JOB, (_DATABASE, _CATALOGUED, _RAN, _CURSOR, _CHILD_IDS, _PARENTS_OF_RUN)),
    "TestNode": (_JOB, (_RAN, _CURSOR, _DEPENDS, _JOB_TEST)),
    "SourceNode": (_JOB, (_CATALOGUED, _CURSOR, _CHILD_IDS, _TESTS_OF_RUN, _JOB_SOURCE)),
    "ExposureNode": (_JOB, (_CURSOR, _DEPENDS, _PARENTS_OF_RUN, _JOB_EXPOSURE)),
    "MacroNode": (_JOB, (_CURSOR, _DEPENDS, "packageName: String\nmacroSql: String")),
    "MetricNode": (_JOB, (_CURSOR, _DEPENDS, "packageName: String\nlabel: String")),
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

KINDS: dict[str, _Type] = {**_APPLIED, **_DEFINITION, **_EITHER, **_OF_A_JOB, **_LINEAGES, **_EXECUTIONS}
"""Object type -> the interfaces that it implements, and the groups of its further fields."""


def _filtered(name: str) -> str:
    return f"filter: {name}"


_MATERIALIZED = _filtered("GenericMaterializedFilter")

STATES: dict[str, dict[str, tuple[str, ...]]] = {
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
"""State -> its lists: the type of their nodes, and their arguments beside those of paging."""
