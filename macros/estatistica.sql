{#
  Statistics whose spelling differs between engines.
#}

{% macro mediana(expressao) -%}
    {{ return(
        adapter.dispatch('mediana', 'segmentacao_clientes')(expressao)
    ) }}
{%- endmacro %}

{% macro default__mediana(expressao) -%}
    percentile_cont(0.5) within group (order by {{ expressao }})
{%- endmacro %}

{% macro duckdb__mediana(expressao) -%}
    median({{ expressao }})
{%- endmacro %}
