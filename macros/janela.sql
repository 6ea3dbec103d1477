{#
  Month arithmetic on calendar dates, clamped to the month's end:
  2025-08-31 less six months is 2025-02-28.
#}

{% macro menos_meses(data, meses) -%}
    cast({{ dbt.dateadd('month', -meses, data) }} as date)
{%- endmacro %}


{% macro inicio_janela(dt_ref) -%}
    {{ menos_meses(dt_ref, var('janela_meses')) }}
{%- endmacro %}
