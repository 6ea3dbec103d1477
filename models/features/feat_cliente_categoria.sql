{{ config(materialized='view') }}

with

vendas as (

    select
        referencias.dt_ref,
        vendas.id_cliente,
        coalesce(grafias.categoria_id, 'sem_categoria') as categoria_id,
        coalesce(grafias.categoria, 'Sem categoria') as categoria,
        {{ valor_que_conta('vendas.valor_venda', 'vendas.tipo') }} as valor
    from {{ ref('stg_vendas') }} as vendas
    inner join {{ ref('feat_periodos') }} as periodos
        on vendas.data_venda = periodos.data_venda
    inner join {{ ref('feat_referencias') }} as referencias
        on periodos.ordem = referencias.ordem
    left join {{ ref('feat_grafias') }} as grafias
        on vendas.categoria_produto = grafias.categoria_produto

),

final as (

    select
        dt_ref,
        id_cliente,
        categoria_id,
        max(categoria) as categoria,
        sum(valor) as valor
    from vendas
    group by 1, 2, 3

)

select * from final
