"""What nodes say of themselves, in each of the forms that they are shown in."""

from shop_artifacts import HISTORY, ORDERS, PRICES, RAW, REPORT, STAGED, UNIQUE, manifest, result, results

CATALOG = {
    "metadata": {"generated_at": "2026-02-03T05:00:00Z"},
    "nodes": {
        ORDERS: {
            "metadata": {"type": "BASE TABLE", "owner": "etl", "comment": None},
            "columns": {
                "TOTAL": {"name": "TOTAL", "type": "DECIMAL", "index": 2},
                "ID": {"name": "ID", "type": "BIGINT", "index": 1},
            },
            "stats": {"row_count": {"id": "row_count", "label": "Rows", "value": 7, "include": True}},
        }
    },
}
CHECKED = {
    "unique_id": RAW,
    "status": "warn",
    "max_loaded_at": "2026-02-01T00:00:00+00:00",
    "snapshotted_at": "2026-02-03T00:00:00+00:00",
    "max_loaded_at_time_ago_in_s": 172800.0,
}


def one(shop, fields, kind="models", unique_id=ORDERS, **more):
    (node,) = shop.nodes(fields, kind, filter=f'{{uniqueIds: ["{unique_id}"]}}', **more)
    return node


def test_a_model_is_described_as_its_project_does(shop):
    run = shop.built()
    fields = (
        "name alias database schema description tags meta packageName materializedType filePath access fqn "
        "modelingLayer rawCode resourceType accountId projectId environmentId contractEnforced language "
        "dbtVersion"
    )
    assert one(shop, fields) == {
        "name": "orders",
        "alias": "orders",
        "database": "shop",
        "schema": "prod",
        "description": "All orders",
        "tags": ["nightly"],
        "meta": {"owner": "ann"},
        "packageName": "shop",
        "materializedType": "table",
        "filePath": "models/orders.sql",
        "access": "public",
        "fqn": ["shop", "marts", "orders"],
        "modelingLayer": "marts",
        "rawCode": "select 'orders'",
        "resourceType": "model",
        "accountId": 1,
        "projectId": 1,
        "environmentId": 1,
        "contractEnforced": False,
        "language": "sql",
        "dbtVersion": "1.11.2",
    }
    assert one(shop, "runId jobDefinitionId", state="definition") == {
        "runId": run,
        "jobDefinitionId": shop.job_id,
    }


def test_times_are_those_of_the_artifacts_in_utc_with_milliseconds(shop):
    shop.built()
    times = "compileStartedAt compileCompletedAt executeStartedAt executeCompletedAt runGeneratedAt"
    assert one(shop, f"executionInfo {{ {times} executionTime runElapsedTime }}")["executionInfo"] == {
        "compileStartedAt": "2026-02-03T04:05:05.000Z",
        "compileCompletedAt": "2026-02-03T04:05:06.000Z",
        "executeStartedAt": "2026-02-03T04:05:06.000Z",
        "executeCompletedAt": "2026-02-03T04:05:07.250Z",
        "runGeneratedAt": "2026-02-03T04:06:00.000Z",
        "executionTime": 1.5,
        "runElapsedTime": 9.5,
    }


def test_compiled_code_is_that_of_the_run(shop):
    shop.ran(manifest=manifest(), run_results=results(result(ORDERS, compiled_code="select 1 as id")))
    assert one(shop, "compiledCode") == {"compiledCode": "select 1 as id"}


def test_the_catalog_has_types_from_the_warehouse_and_descriptions_from_the_project(shop):
    shop.built(catalog=CATALOG)
    catalog = one(
        shop, "catalog { type owner rowCountStat columns { name type description tags } stats { id value } }"
    )
    assert catalog["catalog"] == {
        "type": "BASE TABLE",
        "owner": "etl",
        "rowCountStat": 7,
        "columns": [
            {"name": "ID", "type": "BIGINT", "description": "Its number", "tags": ["key"]},
            {"name": "TOTAL", "type": "DECIMAL", "description": None, "tags": []},
        ],
        "stats": [{"id": "row_count", "value": 7}],
    }
    assert one(shop, "catalog { type }", unique_id=STAGED) == {"catalog": None}
    (model, _) = shop.run("models { type owner columns { name } stats { value } }")["models"]
    assert model == {
        "type": "BASE TABLE",
        "owner": "etl",
        "columns": [{"name": "ID"}, {"name": "TOTAL"}],
        "stats": [{"value": 7}],
    }


def test_relatives_are_told_with_their_types(shop):
    shop.built()
    kin = one(
        shop, "parents { __typename uniqueId } children { __typename uniqueId } tests { uniqueId testType }"
    )
    assert kin == {
        "parents": [{"__typename": "ModelAppliedStateNestedNode", "uniqueId": STAGED}],
        "children": [
            {"__typename": "ExposureAppliedStateNestedNode", "uniqueId": REPORT},
            {"__typename": "SnapshotAppliedStateNestedNode", "uniqueId": HISTORY},
            {"__typename": "TestAppliedStateNestedNode", "uniqueId": UNIQUE},
        ],
        "tests": [{"uniqueId": UNIQUE, "testType": "GENERIC_DATA_TEST"}],
    }


def test_ancestors_are_nearest_first_and_of_the_types_asked_for(shop):
    shop.built(sources={"results": [CHECKED], "metadata": {}})
    fields = """
      ancestors(types: [Model, Source, Seed]) {
        uniqueId
        ... on ModelAppliedStateNestedNode { executionInfo { lastRunStatus } testStatuses }
        ... on SourceAppliedStateNestedNode { sourceName freshness { freshnessStatus maxLoadedAt } }
      }
    """
    assert one(shop, fields)["ancestors"] == [
        {"uniqueId": STAGED, "executionInfo": {"lastRunStatus": "success"}, "testStatuses": {}},
        {
            "uniqueId": RAW,
            "sourceName": "raw",
            "freshness": {"freshnessStatus": "Warn", "maxLoadedAt": "2026-02-01T00:00:00.000Z"},
        },
        {"uniqueId": PRICES},
    ]
    assert one(shop, "ancestors(types: [Seed]) { uniqueId }") == {"ancestors": [{"uniqueId": PRICES}]}


def test_a_source_is_as_fresh_as_the_last_check_found_it(shop):
    run = shop.built(sources={"results": [CHECKED], "metadata": {"generated_at": "2026-02-03T00:00:01Z"}})
    limits = "criteria { warnAfter { count period } errorAfter { count } }"
    fields = f"freshnessChecked freshnessStatus freshnessRunId maxLoadedAtTimeAgoInS snapshottedAt {limits}"
    assert one(shop, f"identifier freshness {{ {fields} }}", "sources", RAW) == {
        "identifier": "orders",
        "freshness": {
            "freshnessChecked": True,
            "freshnessStatus": "Warn",
            "freshnessRunId": run,
            "maxLoadedAtTimeAgoInS": 172800.0,
            "snapshottedAt": "2026-02-03T00:00:00.000Z",
            "criteria": {"warnAfter": {"count": 1, "period": "day"}, "errorAfter": None},
        },
    }
    assert one(shop, "freshnessStatus", "exposures", REPORT) == {"freshnessStatus": "Warn"}
    (source,) = shop.run("sources { state maxLoadedAt freshnessChecked criteria { warnAfter { count } } }")[
        "sources"
    ]
    assert (source["state"], source["freshnessChecked"]) == ("Warn", True)


def test_a_source_that_was_never_checked_says_so(shop):
    shop.built()
    assert one(shop, "freshness { freshnessChecked freshnessStatus maxLoadedAt }", "sources", RAW)[
        "freshness"
    ] == {
        "freshnessChecked": False,
        "freshnessStatus": None,
        "maxLoadedAt": None,
    }
    assert shop.run("sources { state }")["sources"] == [{"state": None}]


def test_exposures_groups_macros_and_packages_are_there(shop):
    shop.built()
    exposure = one(shop, "exposureType ownerName ownerEmail parents { uniqueId }", "exposures", REPORT)
    assert exposure == {
        "exposureType": "dashboard",
        "ownerName": "Ann",
        "ownerEmail": "ann@example.com",
        "parents": [{"uniqueId": ORDERS}],
    }
    assert shop.nodes("name ownerName models { name }", "groups", "definition") == [
        {"name": "finance", "ownerName": "Bo", "models": []}
    ]
    assert shop.nodes("name macroSql", "macros", "definition")[0]["name"] == "cents"
    assert shop.applied("packages(resource: macro) owners(resource: exposure) { name email }") == {
        "packages": ["shop"],
        "owners": [{"name": "Ann", "email": "ann@example.com"}],
    }


def test_resources_of_several_kinds_come_in_one_list(shop):
    shop.built()
    fields = """
      __typename uniqueId
      ... on SeedAppliedStateNode { alias }
      ... on SnapshotAppliedStateNode { strategy primaryKey snapshotExecutionInfo { lastRunStatus } }
      ... on MacroDefinitionNode { macroSql }
    """
    found = shop.nodes(fields, "resources", filter="{types: [Seed, Snapshot, Macro]}")
    assert [node["__typename"] for node in found] == [
        "MacroDefinitionNode",
        "SeedAppliedStateNode",
        "SnapshotAppliedStateNode",
    ]
    assert found[2]["strategy"] == "check"
    counts = shop.applied("resourceCounts tags { name }")
    assert counts["resourceCounts"]["Model"] == 2
    assert counts["tags"] == [{"name": "nightly"}]


def test_lineage_is_a_list_with_the_ids_of_parents(shop):
    shop.built()
    fields = "... on LineageNodeWithParents { parentIds } ... on ModelLineageNode { lastRunStatus }"
    found = shop.applied(f"lineage(filter: {{types: [Model, Source]}}) {{ uniqueId resourceType {fields} }}")[
        "lineage"
    ]
    assert found == [
        {"uniqueId": ORDERS, "resourceType": "Model", "parentIds": [STAGED], "lastRunStatus": "success"},
        {"uniqueId": STAGED, "resourceType": "Model", "parentIds": [RAW, PRICES], "lastRunStatus": "success"},
        {"uniqueId": RAW, "resourceType": "Source"},
    ]


def test_lineage_marks_what_is_selected_and_leaves_out_what_is_excluded(shop):
    shop.built()
    asked = 'lineage(filter: {select: "+stg_orders", exclude: "orders_history"}) { uniqueId matchesMethod }'
    found = {node["uniqueId"]: node["matchesMethod"] for node in shop.applied(asked)["lineage"]}
    assert {name for name, matches in found.items() if matches} == {STAGED, RAW, PRICES}
    assert ORDERS in found
    assert HISTORY not in found
    refused = shop.post('{ environment(id: 1) { applied { lineage(filter: {select: "tag:x"}) { name } } } }')
    assert "cannot select 'tag:x'" in refused.json()["errors"][0]["message"]
