{% macro call_the_supplier() %}
  create table if not exists {{ target.schema }}.supplier_calls (called_at timestamp);
  insert into {{ target.schema }}.supplier_calls values (current_timestamp::timestamp);
{% endmacro %}
