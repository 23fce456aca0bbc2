select
    shops.shop_id,
    shops.shop_name,
    shops.town,
    sum(takings.takings_euros) as takings_euros,
    max(takings.takings_euros) as best_day_euros
from {{ ref('stg_shops') }} as shops
inner join {{ ref('daily_takings') }} as takings on shops.shop_id = takings.shop_id
group by shops.shop_id, shops.shop_name, shops.town
