{% macro keep_busy(seconds) %}
  {# One query of a fixed size would take as long as the machine likes; many short ones end with the clock. #}
  {% if execute %}
    {% set end = modules.datetime.datetime.now() + modules.datetime.timedelta(seconds=seconds) %}
    {% for _ in range(100000) if modules.datetime.datetime.now() < end %}
      {% do run_query('select max(hash(range)) from range(40000000)') %}
    {% endfor %}
  {% endif %}
  select 1
{% endmacro %}
