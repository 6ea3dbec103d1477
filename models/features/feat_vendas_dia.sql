with

vendas as (

    select * from {{ ref('stg_vendas') }}

),

final as (

    select
        data_venda,
        tipo,
        categoria_produto,
        cast(count(*) as {{ dbt.type_bigint() }}) as linhas,
        cast(sum(valor_venda) as {{ tipo_valor() }}) as valor
    from vendas
    group by 1, 2, 3

)

select * from final
