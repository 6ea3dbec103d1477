{{ config(materialized='view') }}

with

contagens as (

    select
        *,
        sum(clientes_base) over (partition by passo) as total_base,
        sum(clientes) over (partition by passo) as total
    from {{ ref('monitor_deriva__contagens') }}
    where indicador = 'psi_segmentos'

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

    select * from {{ ref('monitor_deriva__psi') }}
    union all
    select * from segmentos
    union all
    select * from centros
    union all
    select * from {{ ref('monitor_deriva__distancias') }}

)

select * from final
