{{ config(tags=['broken']) }}

select *
from {{ ref('stg_sales') }}
where dayofweek(sold_on) = 0
