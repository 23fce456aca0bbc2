{{ config(tags=['flaky'], enabled=var('rehearsal')) }}

select
    product_id,
    flour_kilograms * 0.8 as cost_euros
from {{ ref('flour_deliveries') }}
where answered
