{{ config(materialized='view') }}

with

contagens as (

    select
        *,
        sum(clientes_base) over (partition by passo, indicador, item) as total_base,
        sum(clientes) over (partition by passo, indicador, item) as total,
        count(*) over (partition by passo, indicador, item) as faixas
    from {{ ref('monitor_deriva__psi') }}

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

psi as (

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

),

segmentos as (

    select
        contagens.passo,
        'segmento' as indicador,
        nomes.rotulo as item,
        contagens.clientes_base / cast(contagens.total_base as {{ tipo_real() }})
            as base,
        contagens.clientes
        / cast(nullif(contagens.total, 0) as {{ tipo_real() }}) as atual,
        contagens.clientes / cast(nullif(contagens.total, 0) as {{ tipo_real() }})
        - contagens.clientes_base / cast(contagens.total_base as {{ tipo_real() }})
            as valor,
        0 as valor_esperado,
        contagens.clientes_base,
        contagens.clientes
    from contagens
    inner join {{ ref('ml_nomes_em_vigor') }} as nomes
        on
            contagens.modelo_id = nomes.modelo_id
            and contagens.faixa = nomes.cluster
    where contagens.indicador = 'psi_segmentos'

),

centros as (

    select
        centros.passo,
        'centro' as indicador,
        nomes.rotulo as item,
        cast(null as {{ tipo_real() }}) as base,
        cast(null as {{ tipo_real() }}) as atual,
        centros.movimento as valor,
        0 as valor_esperado,
        nomes.clientes as clientes_base,
        centros.clientes
    from {{ ref('monitor_deriva__centros') }} as centros
    inner join {{ ref('ml_nomes_em_vigor') }} as nomes
        on
            centros.passo = nomes.passo
            and centros.cluster = nomes.cluster

),

final as (

    select * from psi
    union all
    select * from segmentos
    union all
    select * from centros
    union all
    select * from {{ ref('monitor_deriva__distancias') }}

)

select * from final
