"""Groups of fields that several GraphQL types share, one field per line."""

IDENTITY = """
uniqueId: String!
name: String
description: String
resourceType: String!
"""
_LOCATED = f"{IDENTITY}filePath: String!\n"
_OWNED = f"""{_LOCATED}accountId: BigInt!
projectId: BigInt!
environmentId: BigInt!
meta: JSONObject
tags: [String!]!
"""
_LINEAGE = f"""{_LOCATED}resourceType: ResourceNodeType!
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
    """Return the last definition of each field."""
    lines = (line for line in fields.splitlines() if line)
    return "\n".join({line.split("(")[0].split(":")[0]: line for line in lines}.values())


INTERFACES = {
    "EnvironmentAppliedNode": _OWNED,
    "EnvironmentAppliedNestedNode": f"{_LOCATED}fqn: [String!]\n",
    "EnvironmentDefinitionNode": f"{_OWNED}runGeneratedAt: DateTime\n",
    "EnvironmentDefinitionNestedNode": f"{_LOCATED}runGeneratedAt: DateTime\n",
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
    "NodeInterface": f"{IDENTITY}meta: JSONObject\ndbtVersion: String\ntags: [String!]\n",
}
"""Interface -> its fields, one per line."""

TABLE = """
database: String
schema: String
alias: String
packageName: String
patchPath: String
dbtVersion: String
"""
FQN = "fqn: [String!]!"
RUN = "runId: BigInt\njobDefinitionId: BigInt"
MODEL = """
access: String
contractEnforced: Boolean
group: String
latestVersion: String
materializedType: String
modelingLayer: String
releaseVersion: ReleaseVersion
version: String
"""
MODEL_CODE = """
language: String
packages: [String!]!
deprecationDate: DateTime
constraints: [ModelLevelConstraint!]!
rawCode: String
"""
SOURCE = """
database: String
schema: String
identifier: String
loader: String
patchPath: String
dbtVersion: String
sourceName: String
sourceDescription: String
"""
TEST = "columnName: String\ndbtVersion: String\npatchPath: String\ntestType: TestType!"
EXPOSURE = """
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
FRESHNESS = "freshness: SourceFreshnessNode!"
CATALOG = "catalog: CatalogNode"
STATUSES = "testStatuses: JSONObject!"
CONFIG = "config: JSONObject"
CODE = "rawCode: String\ncompiledCode: String"
SEED = "path: String\ncompiledCode: String"
SNAPSHOT = """
targetDatabase: String
targetSchema: String
strategy: String
primaryKey: String
snapshotExecutionInfo: ExecutionInfoNode
"""
MACRO = "packageName: String\npatchPath: String\npath: String\nmacroSql: String\narguments: [MacroArgument!]!"
METRIC = """
packageName: String
patchPath: String
label: String
type: String
typeParams: JSONObject
formula: String
filter: JSONObject
"""
JOB_CATALOG = """
columns: [CatalogColumn!]
stats: [CatalogStat!]!
type: String
owner: String
comment: String
"""
JOB_RESULT = """
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
CURSOR = "paginationCursor: String"
UNIT_TEST = """
expect: AnyScalar
given: AnyScalar
model: String
numExpectRows: Int
numGiven: Int
numGivenRows: Int
overrides: JSONObject
thisInputNodeUniqueId: String
"""
LAST_RESULT = "lastKnownResult: String"
RELATION = "isDescriptionInherited: Boolean\nrelationName: String"
SEMANTIC_MODEL = """
dimensions: [SemanticModelDimension!]!
entities: [SemanticModelEntity!]!
measures: [SemanticModelMeasure!]!
"""
CHILD_IDS = "childrenL1: [String!]!"
DEPENDS_ON = "dependsOn: [String!]!"
JOB_PARENTS = "parentsModels: [ModelNode!]!\nparentsSources: [SourceNode!]!"
JOB_TESTS = "tests: [TestNode!]!"
JOB_MODEL = """
access: String
language: String
materializedType: String
dbtGroup: String
packages: [String!]
runResults: [RunInfoNode!]!
"""
JOB_TEST = """
columnName: String
language: String
state: String
fail: Boolean
warn: Boolean
"""
JOB_SOURCE = """
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
JOB_EXPOSURE = """
label: String
maturity: String
ownerEmail: String
ownerName: String
url: String
packageName: String
exposureType: String
"""
DATABASE = "database: String\nschema: String\nalias: String\npackageName: String"
