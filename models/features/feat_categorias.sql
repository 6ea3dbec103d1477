with

cliente_categoria as (

    select * from {{ ref('feat_cliente_categoria') }}

),

referencias as (

    select * from {{ ref('feat_referencias') }}
    where papel = 'atual'

),

categorias as (

    select
        cliente_categoria.categoria_id,
        cliente_categoria.categoria_id in ('sem_categoria', 'outras') as is_resto,
        max(cliente_categoria.categoria) as categoria,
        sum(cliente_categoria.valor) as valor
    from cliente_categoria
    inner join referencias on cliente_categoria.dt_ref = referencias.dt_ref
    group by 1, 2
    having sum(cliente_categoria.valor) > 0

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
