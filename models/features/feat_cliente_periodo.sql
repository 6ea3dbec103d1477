{%- set categorias = lista_categorias() | reject('equalto', 'outras') | list -%}

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
-- touch but do not overlap, so a line is added up once. No `else 0`: a line
-- then touches the sums that it belongs to and no other.
somadas as (

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
        sum(case when is_compra then valor_venda end) as valor_bruto,
        sum(case when is_devolucao then -valor_venda end) as valor_devolvido,
        sum(case when is_compra then quantidade end) as itens,
        -- a refund without quantity returns money, not pieces
        sum(case when is_devolucao and quantidade < 0 then -quantidade end)
            as devolucoes,
        {% for tipo in ['compra', 'devolucao', 'brinde', 'sem_quantidade'] -%}
        count(case when tipo = '{{ tipo }}' then 1 end) as linhas_{{ tipo }},
        {% endfor -%}
        {% for categoria in categorias -%}
        sum(case when categoria_id = '{{ categoria }}' then valor end)
            as {{ adapter.quote('valor_' ~ categoria) }},
        {% endfor -%}
        sum(case when categoria_id is null then valor end) as valor_sem_categoria
    from vendas
    group by 1, 2

),

final as (

    select
        ordem,
        id_cliente,
        data_primeira_compra,
        data_ultima_compra,
        primeiro_pedido,
        ultimo_pedido,
        frequencia,
        frequencia_dias,
        {% for medida in [
            'valor_bruto', 'valor_devolvido', 'itens', 'devolucoes'
        ] -%}
        coalesce({{ medida }}, 0) as {{ medida }},
        {% endfor -%}
        linhas_compra,
        linhas_devolucao,
        linhas_brinde,
        linhas_sem_quantidade,
        {% for categoria in categorias + ['sem_categoria'] -%}
        coalesce({{ adapter.quote('valor_' ~ categoria) }}, 0)
            as {{ adapter.quote('valor_' ~ categoria) }},
        {% endfor -%}
        {{ base_sem_piso('coalesce(valor_bruto, 0)', 'coalesce(valor_devolvido, 0)') }}
            as valor_total
    from somadas

)

select * from final
