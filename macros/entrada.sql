{#
  The input contract: which relation the lines come from, and which of its
  columns plays which part. Both are vars, so that a host project points this
  package at its own tables without editing a model.
#}

{% macro origem(nome) -%}
    {%- set relacao = var(nome) -%}
    {%- if not relacao -%}
        {{ exceptions.raise_compiler_error(
            "The var '" ~ nome ~ "' is empty: it must name a relation, such as "
            ~ "\"{{ source('loja', 'vendas') }}\" or read_parquet('vendas.parquet')."
        ) }}
    {%- endif -%}
    {{ return(relacao) }}
{%- endmacro %}


{% macro tem_coluna(relacao, campo) -%}
    {{ return(var('colunas_' ~ relacao).get(campo) is not none) }}
{%- endmacro %}


{% macro coluna(relacao, campo) -%}
    {%- if tem_coluna(relacao, campo) -%}
        {{ return(var('colunas_' ~ relacao)[campo]) }}
    {%- endif -%}
    {{ return('cast(null as ' ~ dbt.type_string() ~ ')') }}
{%- endmacro %}
