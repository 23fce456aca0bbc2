{{ config(tags=['broken'], enabled=var('rehearsal')) }}

select *
from {{ ref('stg_sales') }}
where dayofweek(sold_on) = 0
