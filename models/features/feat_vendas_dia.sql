with

-- whether a line repeats another is settled in separadas: what is not refused
-- by itself, less what repeats, is what is kept, without comparing it again
vendas as (

    select
        data_venda,
        {{ tipo_da_linha() }} as tipo,
        categoria_produto,
        1 as linhas,
        valor_venda as valor
    from {{ ref('base_vendas_avaliadas') }}
    where motivo_da_linha is null

    union all

    select
        data_venda,
        {{ tipo_da_linha() }} as tipo,
        categoria_produto,
        -1 as linhas,
        -valor_venda as valor
    from {{ ref('base_vendas_separadas') }}
    where motivo = 'linha_duplicada'

),

final as (

    select
        data_venda,
        tipo,
        categoria_produto,
        cast(sum(linhas) as {{ dbt.type_bigint() }}) as linhas,
        cast(sum(valor) as {{ tipo_valor() }}) as valor
    from vendas
    group by 1, 2, 3
    having sum(linhas) > 0

)

select * from final
