{{ config(materialized='view') }}

with

dias as (

    select distinct data_venda from {{ ref('feat_vendas_dia') }}

),

referencias as (

    select * from {{ ref('feat_referencias') }}

),

-- windows touch, so the start of one is the reference date of the next
bordas as (

    select dt_ref as borda from referencias
    union
    select inicio_janela as borda from referencias

),

-- half open: a sale on the reference date belongs to the next window
final as (

    select
        dias.data_venda,
        count(bordas.borda) - 1 as ordem
    from dias
    left join bordas on dias.data_venda < bordas.borda
    group by 1

)

select * from final
