{#
  What engines spell differently: types, statistics, hints and lists.
#}

{% macro tipo_valor() %}{{ return('decimal(18, 4)') }}{% endmacro %}


{% macro tipo_real() -%}
    {#- 64 bits. Not dbt.type_float(), which is 32 bits on DuckDB. -#}
    {{ return(adapter.dispatch('tipo_real', 'segmentacao_clientes')()) }}
{%- endmacro %}

{% macro default__tipo_real() %}{{ return('double precision') }}{% endmacro %}

{% macro duckdb__tipo_real() %}{{ return('double') }}{% endmacro %}

{% macro spark__tipo_real() %}{{ return('double') }}{% endmacro %}


{% macro sem_materializar() -%}
    {#- For a CTE that is read more than once and too large to keep. -#}
    {{ return(
        adapter.dispatch('sem_materializar', 'segmentacao_clientes')()
    ) }}
{%- endmacro %}

{% macro default__sem_materializar() %}{% endmacro %}

{% macro duckdb__sem_materializar() %}not materialized{% endmacro %}

{% macro postgres__sem_materializar() %}not materialized{% endmacro %}


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


{% macro texto_na_lista(expressao, lista) -%}
    {%- if lista -%}
        {{ expressao }} in (
            {%- for item in lista -%}
                '{{ item | string | replace("'", "''") }}'
                {%- if not loop.last %}, {% endif -%}
            {%- endfor -%}
        )
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}
