{{ config(tags=['broken'], enabled=var('rehearsal')) }}

select
    product_id,
    cast(product_name as integer) as batch_number
from {{ ref('stg_products') }}
