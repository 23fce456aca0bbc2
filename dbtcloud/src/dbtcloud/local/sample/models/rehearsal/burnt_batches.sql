{{ config(tags=['broken']) }}

select
    product_id,
    cast(product_name as integer) as batch_number
from {{ ref('stg_products') }}
