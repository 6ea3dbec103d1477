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

-- read three times below, which is cheaper than keeping every line
avaliadas as {{ sem_materializar() }} (

    select
        *,
        {{ motivo_da_linha() }} as motivo_da_linha
    from vendas

),

-- lines that may be repeated, by hash: few, so that the exact comparison
-- below has little to order
suspeitas as (

    select {{ impressao_da_linha() }} as impressao
    from avaliadas
    where {{ pode_repetir() }}
    group by 1
    having count(*) > 1

),

final as (

    select
        *,
        motivo_da_linha as motivo
    from avaliadas
    where
        not {{ pode_repetir() }}
        or {{ impressao_da_linha() }} not in (select impressao from suspeitas)

    union all

    -- of two equal refused lines both keep their own reason
    select
        *,
        case when row_number() over (
            partition by {{ chave_da_linha() | join(', ') }}
            order by data_venda, valor_venda, id_produto, id_cliente
        ) > 1 then 'linha_duplicada' end as motivo
    from avaliadas
    where
        {{ pode_repetir() }}
        and {{ impressao_da_linha() }} in (select impressao from suspeitas)

)

select * from final
