"""What macros, semantic models, unit tests and constraints declare, as dbt-mcp and DataHub ask for it."""

import pytest

from shop_artifacts import MACRO, ORDERS, REPORT, UNIQUE, entry, good, manifest, result

UNIT, SALES = "unit_test.shop.orders.adds_up", "semantic_model.shop.sales"
DECLARED = {
    "unit_tests": {
        UNIT: entry(
            "adds_up",
            ORDERS,
            model="orders",
            given=[{"input": "ref('stg_orders')", "rows": [{"id": 1}, {"id": 2}]}],
            expect={"rows": [{"id": 3}]},
            overrides={"vars": {"rate": 2}},
        )
    },
    "semantic_models": {
        SALES: entry(
            "sales",
            ORDERS,
            entities=[{"name": "order", "type": "primary", "expr": "id"}],
            dimensions=[{"name": "day", "type": "time", "type_params": {"time_granularity": "day"}}],
            measures=[{"name": "total", "agg": "sum", "create_metric": True}],
        )
    },
}
CONSTRAINT = {
    "type": "not_null",
    "name": None,
    "expression": None,
    "columns": ["id"],
    "warn_unenforced": True,
}


@pytest.fixture
def built(shop):
    orders = {"constraints": [CONSTRAINT], "relation_name": '"shop"."prod"."orders"'}
    declared = {**manifest(orders=orders), **DECLARED}
    declared["macros"][MACRO]["arguments"] = [{"name": "price", "type": "int", "description": "In cents"}]
    shop.built(manifest=declared, run_results=good(result(UNIT, "pass")))
    return shop


def resource(shop, kind, unique_id, fields):
    wanted = f'{{types: [{kind}], uniqueIds: ["{unique_id}"]}}'
    (node,) = shop.nodes(fields, "resources", filter=wanted)
    return node


def test_a_model_says_its_relation_and_constraints(built):
    fields = "relationName isDescriptionInherited constraints { type columns warnUnenforced warnUnsupported }"
    (node,) = built.nodes(fields, filter=f'{{uniqueIds: ["{ORDERS}"]}}')

    assert node == {
        "relationName": '"shop"."prod"."orders"',
        "isDescriptionInherited": False,
        "constraints": [
            {"type": "not_null", "columns": ["id"], "warnUnenforced": True, "warnUnsupported": None}
        ],
    }


def test_a_macro_says_its_arguments(built):
    fields = "... on MacroDefinitionNode { arguments { name type description } }"

    assert resource(built, "Macro", MACRO, fields) == {
        "arguments": [{"name": "price", "type": "int", "description": "In cents"}]
    }


PARTS = """
  dimensions { name type typeParams } entities { name type expr } measures { name agg createMetric }
"""


def test_a_semantic_model_says_its_parts_in_its_environment_and_in_a_run(built):
    node = resource(built, "SemanticModel", SALES, f"... on SemanticModelDefinitionNode {{ {PARTS} }}")

    assert node == {
        "dimensions": [{"name": "day", "type": "time", "typeParams": {"time_granularity": "day"}}],
        "entities": [{"name": "order", "type": "primary", "expr": "id"}],
        "measures": [{"name": "total", "agg": "sum", "createMetric": True}],
    }
    assert built.run(f"semanticModels {{ uniqueId dependsOn {PARTS} }}")["semanticModels"] == [
        {"uniqueId": SALES, "dependsOn": [ORDERS], **node}
    ]


UNIT_TEST = "model given expect overrides numGiven numGivenRows numExpectRows thisInputNodeUniqueId"


def test_a_unit_test_says_what_it_gives_and_expects(built):
    node = resource(built, "Test", UNIT, f"... on TestAppliedStateNode {{ {UNIT_TEST} }}")

    declared = DECLARED["unit_tests"][UNIT]
    assert node == {
        **{name: declared[name] for name in ("model", "given", "expect", "overrides")},
        "numGiven": 1,
        "numGivenRows": 2,
        "numExpectRows": 1,
        "thisInputNodeUniqueId": None,
    }


def test_another_test_says_its_column_and_last_result(built):
    fields = (
        f"... on TestAppliedStateNode {{ {UNIT_TEST} lastKnownResult testMetadata {{ name columnName }} }}"
    )
    node = resource(built, "Test", UNIQUE, fields)

    assert node.pop("testMetadata") == {"name": "unique", "columnName": "id"}
    assert node.pop("lastKnownResult") == "pass"
    assert set(node.values()) == {None}


def test_an_exposure_says_when_its_project_was_read(built):
    fields = "... on ExposureAppliedStateNode { manifestGeneratedAt }"

    assert resource(built, "Exposure", REPORT, fields) == {"manifestGeneratedAt": "2026-02-03T04:06:00.000Z"}
