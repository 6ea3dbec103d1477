{#
  Month arithmetic on calendar dates, clamped to the month's end:
  2025-08-31 less six months is 2025-02-28.
#}

{% macro menos_meses(data, meses) -%}
    cast({{ dbt.dateadd('month', -meses, data) }} as date)
{%- endmacro %}


{% macro janelas_antes(data, janelas) -%}
    {#- The date that many windows of janela_meses earlier, one by one. -#}
    {%- set datas = [data] -%}
    {%- for _ in range(janelas) -%}
        {%- do datas.append(menos_meses(datas[-1], var('janela_meses'))) -%}
    {%- endfor -%}
    {{ return(datas[-1]) }}
{%- endmacro %}
