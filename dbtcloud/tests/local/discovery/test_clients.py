"""What well-known clients ask for is in the schema: dbt's own examples, dbt-mcp, DataHub, Dagster."""

import pytest
from graphql import parse, validate

from dbtcloud.local.discovery.schema import discovery_schema

IDS = "runId accountId projectId environmentId jobId"
SHARED = f"{IDS} resourceType uniqueId name description meta dbtVersion tags"
TABLE = "database schema type owner comment columns { name index type comment description tags meta }"
CODE = "packageName alias error status skip rawSql rawCode compiledSql compiledCode"
OF_A_RUN = {
    "models": f"{SHARED} {TABLE} {CODE} dependsOn materializedType",
    "seeds": f"{SHARED} {TABLE} {CODE}",
    "snapshots": f"{SHARED} {TABLE} {CODE} parentsSources {{ uniqueId }} parentsModels {{ uniqueId }}",
    "sources": f"{SHARED} {TABLE} identifier sourceName sourceDescription maxLoadedAt state loader",
    "tests": f"{SHARED} {CODE.removeprefix('packageName alias ')} state columnName dependsOn fail warn",
}
LINE = "uniqueId name resourceType filePath matchesMethod tags projectId"
IN_LINEAGE = {
    "Model": "fqn database schema alias materializationType lastRunStatus",
    "Source": "fqn database schema sourceName lastRunStatus",
    "Seed": "fqn database schema alias lastRunStatus",
    "Snapshot": "fqn database schema alias lastRunStatus",
    "Test": "fqn lastRunStatus",
    "SemanticModel": "fqn publicParentIds",
    **dict.fromkeys(("Exposure", "Metric", "SavedQuery", "Macro"), ""),
}
NESTED = (
    *(
        f"{kind}AppliedStateNestedNode"
        for kind in ("Exposure", "Model", "Seed", "Snapshot", "Source", "Test")
    ),
    *(f"{kind}DefinitionNestedNode" for kind in ("Macro", "Metric", "SavedQuery", "SemanticModel")),
    "ExternalModelNode",
)
ANY_NESTED = " ".join(f"... on {name} {{ resourceType name description }}" for name in NESTED)
RESOURCE = """
  __typename
  ... on TestAppliedStateNode { uniqueId columnName testType meta dependsOnMacros { uniqueId name } }
  ... on SeedAppliedStateNode { alias path compiledCode catalog { columns { name } } }
  ... on SnapshotAppliedStateNode { targetSchema strategy primaryKey snapshotExecutionInfo { lastRunStatus } }
  ... on MacroDefinitionNode { path macroSql }
"""
ASKED = {
    **{
        f"DataHub: {name} of a run": "($job: BigInt!, $run: BigInt) "
        f"{{ job(id: $job, runId: $run) {{ {name} {{ {fields} }} }} }}"
        for name, fields in OF_A_RUN.items()
    },
    "dbt-mcp: models in order": """
      ($id: BigInt!, $filter: ModelAppliedFilter, $after: String, $first: Int, $sort: AppliedModelSort) {
        environment(id: $id) { applied { models(filter: $filter, after: $after, first: $first, sort: $sort) {
          pageInfo { endCursor }
          edges { node { uniqueId description compiledCode catalog { columns { name type description } } } }
        } } }
      }""",
    "dbt-mcp: relatives": f"""
      ($id: BigInt!) {{ environment(id: $id) {{ applied {{ models {{ edges {{ node {{
        parents {{ {ANY_NESTED} }} children {{ {ANY_NESTED} }}
      }} }} }} }} }} }}""",
    "dbt-mcp: lineage": "($id: BigInt!, $filter: LineageFilter!) { environment(id: $id) { applied { "
    "lineage(filter: $filter) { "
    + " ".join(f"... on {kind}LineageNode {{ {LINE} {more} }}" for kind, more in IN_LINEAGE.items())
    + " } } } }",
    "dbt-mcp: resources": f"""
      ($id: BigInt!, $filter: AppliedResourcesFilter!) {{ environment(id: $id) {{ applied {{
        resources(filter: $filter) {{ edges {{ node {{ {RESOURCE} }} }} }}
      }} }} }}""",
    "dbt-mcp: exposures": """
      ($id: BigInt!, $filter: ExposureFilter) { environment(id: $id) { definition {
        exposures(filter: $filter) {
          edges { node { maturity label ownerEmail ownerName url meta freshnessStatus exposureType } }
        }
      } } }""",
    "Dagster: models": """
      ($id: BigInt!, $first: Int) { environment(id: $id) { __typename definition { models(first: $first) {
        pageInfo { hasNextPage endCursor } edges { node { schema uniqueId tags parents { uniqueId } } }
      } } } }""",
    "dbt docs: contracts": """
      { environment(id: 1) { applied { models(first: 100, filter: {access: public}) { edges { node {
        latestVersion contractEnforced constraints { name type expression columns }
      } } } } } }""",
    "dbt docs: metrics": """
      { environment(id: 1) { definition { metrics(first: 9) { edges { node {
        name description type formula filter tags parents { name resourceType }
      } } } } } }""",
    "dbt docs: groups": """
      { environment(id: 1) { definition { groups(first: 9) { edges { node {
        name resourceType models { name } ownerName ownerEmail
      } } } } } }""",
}


@pytest.mark.parametrize("query", ASKED.values(), ids=ASKED)
def test_what_clients_ask_for_is_there(query):
    assert validate(discovery_schema(), parse(f"query _GraphQLRequest {query}")) == []
