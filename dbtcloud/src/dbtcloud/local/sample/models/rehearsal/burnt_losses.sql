{{ config(tags=['broken'], enabled=var('rehearsal')) }}

select
    batches.batch_number,
    products.price_euros as loss_euros
from {{ ref('burnt_batches') }} as batches
inner join {{ ref('stg_products') }} as products on batches.product_id = products.product_id
