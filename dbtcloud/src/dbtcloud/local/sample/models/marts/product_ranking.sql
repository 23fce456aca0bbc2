with sold as (
    select
        product_id,
        sum(pieces) as pieces
    from {{ ref('stg_sales') }}
    group by product_id
)

select
    products.product_id,
    products.product_name,
    products.kind,
    coalesce(sold.pieces, 0) as pieces,
    rank() over (order by coalesce(sold.pieces, 0) desc) as place
from {{ ref('stg_products') }} as products
left join sold on products.product_id = sold.product_id
