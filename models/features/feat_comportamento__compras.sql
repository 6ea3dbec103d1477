with

vendas as (

    select * from {{ ref('stg_vendas') }}

),

datas as (

    select * from {{ ref('feat_insiders_datas') }}

),

-- one scan for every feature of a customer at every reference date
final as (

    select
        datas.dt_ref,
        vendas.id_cliente,
        min(case when vendas.is_compra then vendas.data_venda end)
            as data_primeira_compra,
        max(case when vendas.is_compra then vendas.data_venda end)
            as data_ultima_compra,
        count(distinct case when vendas.is_compra then vendas.id_venda end)
            as frequencia,
        count(distinct case when vendas.is_compra then vendas.data_venda end)
            as frequencia_dias,
        sum(case when vendas.is_compra then vendas.valor_venda else 0 end)
            as valor_bruto,
        -sum(case when vendas.is_devolucao then vendas.valor_venda else 0 end)
            as valor_devolvido,
        sum(case when vendas.is_compra then vendas.quantidade else 0 end)
            as itens,
        -- a refund without quantity returns money, not pieces
        sum(
            case
                when vendas.is_devolucao and vendas.quantidade < 0
                    then -vendas.quantidade
                else 0
            end
        ) as devolucoes,
        count(distinct case when vendas.is_compra then vendas.id_produto end)
            as produtos_distintos,
        count(distinct case
            when vendas.is_compra
                then vendas.id_venda || ':' || vendas.id_produto
        end) as produtos_por_pedido
    from vendas
    inner join datas
        on
            vendas.data_venda >= datas.inicio_janela
            and vendas.data_venda < datas.dt_ref
    group by 1, 2

)

select * from final
