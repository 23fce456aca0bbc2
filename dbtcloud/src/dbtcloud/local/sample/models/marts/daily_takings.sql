select
    sales.sold_on,
    sales.shop_id,
    sum(sales.pieces) as pieces,
    sum(sales.pieces * products.price_euros) as takings_euros
from {{ ref('stg_sales') }} as sales
inner join {{ ref('stg_products') }} as products on sales.product_id = products.product_id
group by sales.sold_on, sales.shop_id
