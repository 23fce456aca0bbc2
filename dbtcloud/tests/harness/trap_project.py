"""A dbt project full of names that repeat, of which some nodes fail, so that selecting by name goes wrong."""

from pathlib import Path

FILES = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: any\n"
    "vars: {x: unset}\nmodels: {+materialized: table}\n",
    # A model in a folder of its own name fails; the other one in the folder is fine.
    "models/rates/rates.sql": "select cast('{{ var(\"x\") }}' as integer) as id\n",
    "models/rates/rates_daily.sql": "select 1 as id\n",
    # A model, and a singular test that is named as the model is.
    "models/orders.sql": "{{ must_have_x() }} select 1 as id union all select 2\n",
    "tests/orders.sql": "select * from {{ ref('orders') }}\n",
    # A test that is fine, in a folder that has the name of one that is not.
    "tests/orders/none_is_zero.sql": "select * from {{ ref('orders') }} where id = 0\n",
    # What comes after the failing model: a model that is skipped, and an excluded test of it.
    "models/late.sql": "select id from {{ ref('rates') }}\n",
    # Of two versions one fails.
    "models/dim_v1.sql": "select 1 as id\n",
    "models/dim_v2.sql": "select cast('nothing' as integer) as id\n",
    # A model of which one batch fails, unless that is built for itself.
    "models/moments.sql": "select unnest([date '2023-05-05', date '2024-05-05']) as moment\n",
    "models/yearly.sql": "{{ config(materialized='incremental', incremental_strategy='microbatch', "
    "event_time='moment', batch_size='year', begin='2023-01-01') }}\n"
    "select moment, cast(case when moment = date '2024-05-05' "
    "then '{{ '1' if invocation_args_dict.event_time_start else 'x' }}' else '1' end as integer) as id "
    "from {{ ref('moments') }}\n",
    # A unit test that fails, which skips its model; one of the same name passes.
    "models/sums.sql": "select sum(id) as total from {{ ref('rates_daily') }}\n",
    "models/schema.yml": """
models:
  - name: orders
    columns:
      - name: id
        data_tests:
          - unique
          - accepted_values: {arguments: {values: [1], quote: false}}
          - not_null
          - accepted_values: {arguments: {values: [101, 102, 103, 104, 105, 106, 107, 108], quote: false}}
          - accepted_values:
              name: all_of_them_warn
              arguments: {values: [7], quote: false}
              config: {severity: warn}
  - name: late
    columns: [{name: id, data_tests: [unique, {not_null: {config: {tags: [excluded]}}}]}]
  - name: rates_daily
    columns: [{name: id, data_tests: [unique]}]
  - name: moments
    config: {event_time: moment}
  - name: dim
    latest_version: 1
    versions: [{v: 1}, {v: 2}]
unit_tests:
  - name: adds_up
    model: sums
    given: [{input: ref('rates_daily'), rows: [{id: 1}, {id: 2}]}]
    expect: {rows: [{total: 4}]}
  - name: adds_up
    model: rates_daily
    given: []
    expect: {rows: [{id: 1}]}
  - name: counts
    model: dim
    versions: {include: [1]}
    given: []
    expect: {rows: [{id: 2}]}
  - name: counts_v1
    model: rates_daily
    given: []
    expect: {rows: [{id: 1}]}
""",
    "macros/must_have_x.sql": """
{% macro must_have_x() %}
  {% if execute and var("x") != "-s a" %}{{ exceptions.raise_compiler_error("x is " ~ var("x")) }}{% endif %}
{% endmacro %}
""",
    "selectors.yml": """
selectors:
  - name: nightly
    definition:
      union:
        - {method: path, value: models}
        - {method: path, value: tests}
        - exclude: [{method: tag, value: excluded}]
""",
}

LONG_NAMED = "test.shop.accepted_values_orders_id__False__101__102__103__104__105__106__107__108"
"""A test whose file has a shorter name."""

LEFT_TO_DO = {
    LONG_NAMED,
    "model.shop.rates",
    "model.shop.late",
    "test.shop.unique_late_id",
    "model.shop.dim.v2",
    "unit_test.shop.dim.counts_v1",
    "model.shop.dim.v1",
    "model.shop.yearly",
    "test.shop.orders",
    "test.shop.accepted_values_orders_id__False__1",
    "unit_test.shop.sums.adds_up",
    "model.shop.sums",
}
"""What fails or is skipped, without the hashes of tests."""


def write(folder: Path) -> Path:
    """Put the project into a folder."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
