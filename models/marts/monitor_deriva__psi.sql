{{ config(materialized='view') }}

with

contagens as (

    select
        *,
        sum(clientes_base) over (partition by passo, indicador, item) as total_base,
        sum(clientes) over (partition by passo, indicador, item) as total,
        count(*) over (partition by passo, indicador, item) as faixas
    from {{ ref('monitor_deriva__contagens') }}

),

-- half a customer in every bin, so that an empty one has a logarithm
participacoes as (

    select
        *,
        (clientes_base + 0.5) / (total_base + 0.5 * faixas) as p,
        (clientes + 0.5) / (total + 0.5 * faixas) as q
    from contagens

),

somadas as (

    select
        passo,
        indicador,
        case item when 'cluster' then 'todos' else item end as item,
        total_base as clientes_base,
        total as clientes,
        least(total_base, total) >= {{ var('deriva_clientes_minimos') }}
            as is_bastante,
        sum((q - p) * ln(q / p)) as psi,
        (count(*) - 1) * (1.0 / total_base + 1.0 / nullif(total, 0)) as esperado
    from participacoes
    group by 1, 2, 3, 4, 5, 6

),

final as (

    select
        passo,
        indicador,
        item,
        cast(null as {{ tipo_real() }}) as base,
        cast(null as {{ tipo_real() }}) as atual,
        case when is_bastante then psi end as valor,
        case when is_bastante then esperado end as valor_esperado,
        clientes_base,
        clientes
    from somadas

)

select * from final
