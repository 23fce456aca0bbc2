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


def test_a_singular_test_is_no_hash():
    assert _selectable_name(NodeResult("test.shop.deadbeef01", "fail")) == "deadbeef01"
