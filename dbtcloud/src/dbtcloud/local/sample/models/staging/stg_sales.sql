select
    sale_id,
    shop_id,
    product_id,
    sold_on,
    pieces
from {{ ref('sales') }}
where pieces > 0
