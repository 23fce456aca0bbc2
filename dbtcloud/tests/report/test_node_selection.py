"""A node is selected by what tells it from all others."""

import pytest

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.report.node_selection import NodeSelector, _selectable_name


@pytest.mark.parametrize(
    ("unique_id", "verb", "expected"),
    [
        ("model.shop.orders", "run", "fqn:orders,package:shop,file:orders"),
        ("model.shop.orders", "build", "fqn:orders,package:shop,file:orders,resource_type:model"),
        ("model.shop.orders.v2", "run", "fqn:orders.v2,package:shop"),
        ("seed.shop.rates", "seed", "fqn:rates,package:shop,file:rates"),
        ("snapshot.shop.rates", "snapshot", "fqn:rates,package:shop"),
        ("test.shop.unique_orders_id.0123456789", "test", "fqn:unique_orders_id,package:shop"),
        (
            "test.shop.no_sale_on_a_sunday",
            "test",
            "fqn:no_sale_on_a_sunday,package:shop,file:no_sale_on_a_sunday",
        ),
        (
            "unit_test.shop.orders.adds_up",
            "build",
            "fqn:adds_up,package:shop,fqn:orders+1,resource_type:unit_test",
        ),
        ("operation.shop.shop-on-run-end-0", "run", None),
        ("test.shop.sums, all of them.0123456789", "test", None),
        ("test.shop.sums+.0123456789", "test", None),
        ("test.shop.sums*.0123456789", "test", None),
        ("odd", "run", None),
    ],
)
def test_a_node_is_told_from_all_others(unique_id, verb, expected):
    assert NodeSelector(verb, []).selection_of(NodeResult(unique_id, "error")) == expected


@pytest.mark.parametrize(
    ("unique_id", "name", "model"),
    [
        ("unit_test.shop.customers.total_v2", "total", "customers.v2"),
        ("unit_test.shop.customers.total.v2", "total", "customers.v2"),
        ("unit_test.shop.customers.sum_v_all_v12", "sum_v_all", "customers.v12"),
        ("unit_test.shop.customers.total_v1.5", "total", "customers.v1.5"),
        ("unit_test.shop.customers.total_vbeta_v1", "total", "customers.vbeta_v1"),
        ("unit_test.shop.orders.total_v2", "total_v2", "orders"),
        ("unit_test.shop.lines.total.v2", "total", "lines.v2"),
        ("unit_test.shop.lines.total", "total", "lines"),
    ],
)
def test_a_unit_test_is_selected_by_its_name_and_the_version_of_its_model(unique_id, name, model):
    versions = [f"model.shop.customers.v{version}" for version in ("2", "12", "1.5", "1", "beta_v1")]
    selector = NodeSelector("build", [], [*versions, "model.shop.orders", "model.else.customers"])
    expected = f"fqn:{name},package:shop,fqn:{model}+1,resource_type:unit_test"
    assert selector.selection_of(NodeResult(unique_id, "fail")) == expected


@pytest.mark.parametrize(
    "unique_id", ["unit_test.shop.lines.total_v2", "unit_test.shop.a b.c", "unit_test.shop"]
)
def test_a_unit_test_that_cannot_be_told_from_others_is_not_selected(unique_id):
    assert NodeSelector("build", []).selection_of(NodeResult(unique_id, "fail")) is None


def test_a_singular_test_is_no_hash():
    assert _selectable_name(NodeResult("test.shop.deadbeef01", "fail")) == "deadbeef01"
