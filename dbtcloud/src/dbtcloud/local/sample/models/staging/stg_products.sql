select
    product_id,
    product_name,
    kind,
    price_cents / 100.0 as price_euros,
    bake_minutes
from {{ ref('products') }}
{% if var('forget_the_yeast') %}
where product_id in (select product_id from {{ ref('yeast') }})
{% endif %}
