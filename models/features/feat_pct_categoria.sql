with

cliente_categoria as (

    select * from {{ ref('feat_cliente_categoria') }}

),

categorias as (

    select * from {{ ref('feat_categorias') }}
    where not is_outras

),

agrupadas as (

    select
        cliente_categoria.dt_ref,
        cliente_categoria.id_cliente,
        coalesce(categorias.categoria_id, 'outras') as categoria_id,
        cliente_categoria.categoria_id <> 'sem_categoria' as is_conhecida,
        cliente_categoria.valor
    from cliente_categoria
    left join categorias
        on cliente_categoria.categoria_id = categorias.categoria_id

),

-- sums stay decimal: sums of doubles change in the last digit with the order
-- of the rows, and the models with them
somadas as (

    select
        dt_ref,
        id_cliente,
        {% for categoria in lista_categorias() -%}
        sum(case when categoria_id = '{{ categoria }}' then valor else 0 end)
            as {{ adapter.quote('valor_' ~ categoria) }},
        {% endfor -%}
        cast(sum(valor) as {{ tipo_real() }}) as valor_total,
        sum(case when is_conhecida then valor else 0 end) as valor_conhecido
    from agrupadas
    group by 1, 2

),

final as (

    select
        dt_ref,
        id_cliente,
        {% for categoria in lista_categorias() -%}
        -- null, not zero: who spent nothing has no taste that we know of
        case
            when valor_conhecido > 0
                then {{ adapter.quote('valor_' ~ categoria) }} / valor_total
        end as {{ adapter.quote('pct_' ~ categoria) }},
        {% endfor -%}
        valor_conhecido > 0 as is_com_categoria
    from somadas

)

select * from final
