{{ config(materialized='view') }}

with

vendas as (

    select * from {{ ref('stg_vendas') }}

),

referencias as (

    select * from {{ ref('feat_referencias') }}

),

final as (

    select
        referencias.dt_ref,
        vendas.id_cliente,
        vendas.id_venda,
        vendas.data_venda,
        vendas.categoria_produto,
        vendas.quantidade,
        vendas.valor_venda,
        vendas.is_compra,
        vendas.is_devolucao,
        vendas.data_venda >= referencias.inicio_janela as is_na_janela
    from vendas
    cross join referencias
    -- half open: a sale on the reference date belongs to the next window
    where vendas.data_venda < referencias.dt_ref

)

select * from final
