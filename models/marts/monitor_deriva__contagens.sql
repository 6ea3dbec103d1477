{{ config(materialized='view') }}

with

base as (

    select base.*
    from {{ ref('ml_linha_de_base') }} as base
    inner join {{ ref('ml_versoes') }} as versoes
        on base.modelo_id = versoes.modelo_id
    where versoes.is_em_vigor

),

limites as (

    select
        passo,
        item as variavel,
        faixa,
        valor as limite
    from base
    where medida = 'faixa' and valor is not null

),

valores as (

    select * from {{ ref('monitor_deriva__valores') }}

),

contagens as (

    {{ conta_faixas('valores', 'limites') }}

),

agora as (

    select
        passo,
        'faixa' as medida,
        variavel as item,
        faixa,
        clientes
    from contagens

    union all

    select
        atribuicoes.passo,
        'distancia' as medida,
        'cluster' as item,
        atribuicoes.cluster as faixa,
        count(*) as clientes
    from {{ ref('ml_atribuicoes') }} as atribuicoes
    inner join {{ ref('feat_referencias') }} as referencias
        on
            atribuicoes.dt_ref = referencias.dt_ref
            and referencias.papel = 'atual'
    group by 1, 4

),

-- from the baseline, so that what has vanished is there with zero
final as (

    select
        base.modelo_id,
        base.passo,
        case base.medida when 'faixa' then 'psi_variavel' else 'psi_segmentos' end
            as indicador,
        base.item,
        base.faixa,
        base.clientes as clientes_base,
        coalesce(agora.clientes, 0) as clientes
    from base
    left join agora
        on
            base.passo = agora.passo
            and base.medida = agora.medida
            and base.item = agora.item
            and base.faixa = agora.faixa
    where base.medida in ('faixa', 'distancia')

)

select * from final
