with

vendas as (

    select vendas.*
    from {{ ref('feat_vendas_dia') }} as vendas
    inner join {{ ref('feat_periodos') }} as periodos
        on vendas.data_venda = periodos.data_venda
    where periodos.ordem = 0

),

grafias as (

    select * from {{ ref('feat_grafias') }}

),

categorias as (

    select
        grafias.categoria_id,
        grafias.categoria_id in ('sem_categoria', 'outras') as is_resto,
        max(grafias.categoria) as categoria,
        sum({{ valor_que_conta('vendas.valor', 'vendas.tipo') }}) as valor
    from vendas
    inner join grafias
        on
            coalesce(vendas.categoria_produto, '')
            = coalesce(grafias.categoria_produto, '')
    group by 1, 2
    having sum({{ valor_que_conta('vendas.valor', 'vendas.tipo') }}) > 0

),

ordenadas as (

    select
        *,
        row_number() over (order by is_resto, valor desc, categoria_id) as posicao
    from categorias

),

marcadas as (

    select
        *,
        is_resto or posicao > {{ var('categorias_max') }} as is_outras
    from ordenadas
    -- with no known category there is nothing to divide spending by
    where
        exists (
            select 1
            from categorias as conhecidas
            where not conhecidas.is_resto
        )

),

final as (

    select
        is_outras,
        case when is_outras then 'outras' else categoria_id end as categoria_id,
        max(case when is_outras then 'Outras' else categoria end) as categoria,
        min(posicao) as posicao,
        sum(valor) as valor
    from marcadas
    group by 1, 2

)

select * from final
