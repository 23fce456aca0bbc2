"""Each node's compiled code is found by its name among the run's artifacts."""

import pytest

from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.report.compiled_code import with_compiled_paths

PATHS = [
    "manifest.json",
    "compiled/shop/models/marts/orders.sql",
    "compiled/shop/models/marts/m.yml/unique_orders_id.sql",
    "compiled/shop/tests/no_sale.sql",
    "compiled/shop/models/customers_v2.sql",
    "compiled/shop/models/plain.sql",
    "compiled/shop/models/forecast.py",
    "compiled/other/models/orders.sql",
    "compiled/shop/models/a/twice.sql",
    "compiled/shop/models/b/twice.sql",
    "run/shop/models/only_run.sql",
    "compiled/shop/models/both.sql",
    "compiled/shop/tests/both.sql",
]


@pytest.mark.parametrize(
    ("unique_id", "path"),
    [
        ("model.shop.orders", "compiled/shop/models/marts/orders.sql"),
        ("model.other.orders", "compiled/other/models/orders.sql"),
        (
            "test.shop.unique_orders_id.0a1b2c3d4e",
            "compiled/shop/models/marts/m.yml/unique_orders_id.sql",
        ),
        ("test.shop.no_sale", "compiled/shop/tests/no_sale.sql"),
        ("model.shop.customers.v2", "compiled/shop/models/customers_v2.sql"),
        ("model.shop.plain.v1", "compiled/shop/models/plain.sql"),
        ("model.shop.forecast", "compiled/shop/models/forecast.py"),
        ("seed.shop.raw", None),
        ("model.shop.only_run", None),
        ("model.shop.twice", None),
        ("odd", None),
        ("model.shop.both", "compiled/shop/models/both.sql"),
        ("test.shop.both", "compiled/shop/tests/both.sql"),
        ("analysis.shop.both", None),
    ],
)
def test_a_node_is_told_where_its_code_lies_and_never_a_file_that_is_not_there(unique_id, path):
    (node,) = with_compiled_paths([NodeResult(unique_id, "error")], PATHS)
    assert node.compiled_path == path
