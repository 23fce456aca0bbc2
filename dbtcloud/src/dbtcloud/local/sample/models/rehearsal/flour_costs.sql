{{ config(tags=['flaky']) }}

select
    product_id,
    flour_kilograms * 0.8 as cost_euros
from {{ ref('flour_deliveries') }}
where answered
