with

vendas as {{ sem_materializar() }} (

    select * from {{ ref('base_vendas_avaliadas') }}

),

-- lines that may be repeated, by hash: few, so that the exact comparison
-- below has little to order
suspeitas as (

    select impressao
    from vendas
    where {{ pode_repetir() }}
    group by 1
    having count(*) > 1

),

separadas as (

    select
        *,
        {{ pode_repetir() }} as is_comparada
    from vendas
    where
        motivo_da_linha is not null
        or (
            {{ pode_repetir() }}
            and impressao in (select suspeitas.impressao from suspeitas)
        )

),

-- of two equal refused lines both keep their own reason
final as (

    select
        *,
        case
            when is_comparada and row_number() over (
                partition by is_comparada, {{ chave_da_linha() | join(', ') }}
                order by data_venda, valor_venda, id_produto, id_cliente
            ) > 1 then 'linha_duplicada'
            else motivo_da_linha
        end as motivo
    from separadas

)

select * from final
