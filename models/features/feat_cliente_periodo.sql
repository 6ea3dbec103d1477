with

periodos as (

    select * from {{ ref('feat_periodos') }}

),

grafias as (

    select * from {{ ref('feat_grafias') }}
    where categoria_id <> 'sem_categoria'

),

vendas as (

    select
        vendas.*,
        periodos.ordem,
        grafias.categoria_id,
        {{ valor_que_conta('vendas.valor_venda', 'vendas.tipo') }} as valor
    from {{ ref('stg_vendas') }} as vendas
    inner join periodos on vendas.data_venda = periodos.data_venda
    left join grafias on vendas.categoria_produto = grafias.categoria_produto

),

-- the one scan of the lines for the features of all reference dates: windows
-- touch but do not overlap, so a line is added up once
final as (

    select
        ordem,
        id_cliente,
        min(case when is_compra then data_venda end) as data_primeira_compra,
        max(case when is_compra then data_venda end) as data_ultima_compra,
        -- first and last order differ where there are two: cheaper than
        -- counting the orders of all history
        min(case when is_compra then id_venda end) as primeiro_pedido,
        max(case when is_compra then id_venda end) as ultimo_pedido,
        count(distinct case when is_compra then id_venda end) as frequencia,
        count(distinct case when is_compra then data_venda end) as frequencia_dias,
        sum(case when is_compra then valor_venda else 0 end) as valor_bruto,
        -sum(case when is_devolucao then valor_venda else 0 end)
            as valor_devolvido,
        sum(case when is_compra then quantidade else 0 end) as itens,
        -- a refund without quantity returns money, not pieces
        sum(case when is_devolucao and quantidade < 0 then -quantidade else 0 end)
            as devolucoes,
        {% for tipo in ['compra', 'devolucao', 'brinde', 'sem_quantidade'] -%}
        count(case when tipo = '{{ tipo }}' then 1 end) as linhas_{{ tipo }},
        {% endfor -%}
        {% for categoria in lista_categorias() | reject('equalto', 'outras') -%}
        sum(case when categoria_id = '{{ categoria }}' then valor else 0 end)
            as {{ adapter.quote('valor_' ~ categoria) }},
        {% endfor -%}
        sum(case when categoria_id is null then valor else 0 end)
            as valor_sem_categoria,
        sum(valor) as valor_total
    from vendas
    group by 1, 2

)

select * from final
