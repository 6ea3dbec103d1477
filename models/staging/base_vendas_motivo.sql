{{ config(materialized='view') }}

with

vendas as (

    select * from {{ ref('base_vendas') }}
    {% if var('clientes_esquecidos') %}
    -- not exists, because `not in` would drop the lines without customer
    where not exists (
        select 1
        from {{ origem('clientes_esquecidos') }} as esquecidos
        where {{ le_texto('esquecidos.id_cliente') }} = id_cliente_lido
    )
    {% endif %}

),

avaliadas as (

    select
        *,
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
        end as motivo_da_linha
    from vendas

),

final as (

    select
        *,
        {{ motivo_com_duplicata() }} as motivo
    from avaliadas

)

select * from final
