{#
  The features of each step, in the order in which the models hold them.
#}

{% macro variaveis_rfv() -%}
    {{ return(['recencia_dias', 'frequencia', 'valor']) }}
{%- endmacro %}


{% macro lista_categorias() -%}
    {#- Share columns that exist in this warehouse, read from the data. -#}
    {#- the ref stands before any condition: parsing must see it -#}
    {%- set categorias = ref('feat_categorias') -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- set relacao = load_relation(categorias) -%}
    {%- if relacao is none -%}{{ return([]) }}{%- endif -%}
    {{ return(run_query(
        'select categoria_id from ' ~ relacao ~ ' order by posicao'
    ).columns[0].values() | list) }}
{%- endmacro %}


{% macro variaveis_categoria() -%}
    {%- set nomes = [] -%}
    {%- for categoria in lista_categorias() -%}
        {%- do nomes.append('pct_' ~ categoria) -%}
    {%- endfor -%}
    {{ return(nomes) }}
{%- endmacro %}


{% macro base_do_valor(bruto, devolvido) -%}
    {#- The value that is clustered: see the var base_valor. -#}
    {%- if var('base_valor') == 'bruto' -%}
        {{ bruto }}
    {%- else -%}
        greatest({{ bruto }} - {{ devolvido }}, 0)
    {%- endif -%}
{%- endmacro %}
