{#
  Why a line is refused, and when two lines are the same line. Used by
  base_vendas_motivo; the docs block motivo_recusa explains each reason.
#}

{% macro motivo_da_linha() -%}
    {#- The first reason that applies to a line looked at alone, else null. -#}
    case
        when id_cliente is null then 'cliente_ausente'
        {{ motivo_de_leitura('data', 'data_venda_origem', 'data_venda') }}
        when data_venda > {{ hoje() }} then 'data_futura'
        {% if var('data_minima') -%}
        when data_venda < cast('{{ var("data_minima") }}' as date)
            then 'data_antiga'
        {% endif -%}
        {{ motivo_de_valor() }}
        {% if var('moeda') -%}
        when coalesce(moeda, '') <> upper('{{ var("moeda") }}')
            then 'moeda_diferente'
        {% endif -%}
        when {{ texto_na_lista('pais', var('paises_excluidos')) }}
            then 'pais_excluido'
        when {{ texto_na_lista('id_cliente', var('clientes_excluidos')) }}
            then 'cliente_excluido'
        {% if var('codigos_nao_produto') -%}
        when id_produto in (
            select codigo from {{ origem('codigos_nao_produto') }}
        ) then 'codigo_nao_produto'
        {% endif -%}
        {% if var('preco_minimo') is not none -%}
        when preco_unitario < {{ var('preco_minimo') }}
            then 'preco_abaixo_do_minimo'
        {% endif -%}
    end
{%- endmacro %}


{% macro motivo_de_leitura(nome, origem, lido) -%}
    when {{ lido }} is null and {{ le_texto(origem) }} is null
        then '{{ nome }}_ausente'
    when {{ lido }} is null then '{{ nome }}_ilegivel'
{%- endmacro %}


{% macro motivo_de_valor() -%}
    {#- Only the columns that the source has can be at fault. -#}
    {%- if tem_coluna('vendas', 'quantidade') -%}
        {{ motivo_de_leitura('quantidade', 'quantidade_origem', 'quantidade') }}
    {%- endif %}
    {% if tem_coluna('vendas', 'valor_venda') -%}
        {{ motivo_de_leitura('valor', 'valor_venda_origem', 'valor_venda') }}
    {%- else -%}
        {{ motivo_de_leitura('valor', 'preco_unitario_origem', 'valor_venda') }}
    {%- endif -%}
{%- endmacro %}


{% macro pode_repetir() -%}
    {#- Only lines that would be kept are compared with each other. -#}
    {%- if var('linhas_duplicadas') == 'manter' -%}
        false
    {%- elif tem_coluna('vendas', 'id_linha') -%}
        (motivo_da_linha is null and id_linha is not null)
    {%- else -%}
        (motivo_da_linha is null)
    {%- endif -%}
{%- endmacro %}


{% macro pedido_da_linha() -%}
    {#- Without an order id, a customer's day is one order. -#}
    coalesce(
        id_venda_lido,
        id_cliente || ':' || cast(data_venda as {{ dbt.type_string() }})
    )
{%- endmacro %}


{% macro chave_da_linha() -%}
    {#- What makes two lines the same line, as a list of columns. -#}
    {%- if tem_coluna('vendas', 'id_linha') -%}
        {{ return(['id_linha', pedido_da_linha()]) }}
    {%- endif -%}
    {{ return([
        'id_cliente_origem', 'data_venda_origem', 'valor_venda_origem',
        'quantidade_origem', 'preco_unitario_origem', 'id_venda_origem',
        'id_produto_origem', 'categoria_origem', 'moeda_origem', 'pais_origem',
    ]) }}
{%- endmacro %}


{% macro impressao_da_linha() -%}
    {#- A hash of what makes two lines the same line. -#}
    {{ return(
        adapter.dispatch('impressao_da_linha', 'segmentacao_clientes')()
    ) }}
{%- endmacro %}

{% macro default__impressao_da_linha() -%}
    {%- set partes = [] -%}
    {%- for coluna in chave_da_linha() -%}
        {%- do partes.append(
            "coalesce(cast(" ~ coluna ~ " as " ~ dbt.type_string() ~ "), '')"
        ) -%}
    {%- endfor -%}
    md5({{ partes | join(" || '|' || ") }})
{%- endmacro %}

{% macro duckdb__impressao_da_linha() -%}
    hash({{ chave_da_linha() | join(', ') }})
{%- endmacro %}
