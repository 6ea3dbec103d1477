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

final as (

    select
        *,
        {{ motivo_da_linha() }} as motivo_da_linha,
        {{ impressao_da_linha() }} as impressao
    from vendas

)

select * from final
