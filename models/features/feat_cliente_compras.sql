with

vendas as (

    select * from {{ ref('feat_vendas_janela') }}

),

-- one scan for every feature of a customer at every reference date
por_cliente as (

    select
        dt_ref,
        id_cliente,
        min(case when is_compra then data_venda end) as data_primeira_compra,
        max(case when is_compra then data_venda end) as data_ultima_compra,
        -- first and last order differ where there are two: cheaper than
        -- counting the orders of all history
        min(case when is_compra then id_venda end)
        = max(case when is_compra then id_venda end) as is_compra_unica,
        count(distinct case when is_compra and is_na_janela then id_venda end)
            as frequencia,
        count(distinct case when is_compra and is_na_janela then data_venda end)
            as frequencia_dias,
        sum(case when is_compra and is_na_janela then valor_venda else 0 end)
            as valor_bruto,
        -sum(case when is_devolucao and is_na_janela then valor_venda else 0 end)
            as valor_devolvido,
        sum(case when is_compra and is_na_janela then 1 else 0 end) as linhas,
        sum(case when is_compra and is_na_janela then quantidade else 0 end)
            as itens,
        -- a refund without quantity returns money, not pieces
        sum(
            case
                when is_devolucao and is_na_janela and quantidade < 0
                    then -quantidade
                else 0
            end
        ) as devolucoes
    from vendas
    group by 1, 2

),

final as (

    select * from por_cliente
    -- a return is no activity: without a purchase there is no customer
    where data_ultima_compra is not null

)

select * from final
