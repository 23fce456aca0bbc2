{{ config(
    tags=['flaky'],
    enabled=var('rehearsal'),
    pre_hook={'sql': '{{ call_the_supplier() }}', 'transaction': False}
) }}

select
    calls.answered,
    products.product_id,
    products.bake_minutes * 2 as flour_kilograms
from {{ ref('stg_products') }} as products
cross join (
    select
        case
            when count(*) % 2 = 0 then true
            else error('The flour supplier did not answer. Call again.')
        end as answered
    from {{ target.schema }}.supplier_calls
) as calls
