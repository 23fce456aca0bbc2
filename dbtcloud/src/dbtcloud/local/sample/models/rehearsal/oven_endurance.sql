{{ config(tags=['slow'], pre_hook="{{ keep_busy(var('oven_seconds')) }}") }}

select
    product_id,
    product_name,
    bake_minutes * 60 as bake_seconds
from {{ ref('stg_products') }}
