{{ config(materialized='view') }}

with

base as (

    select base.*
    from {{ ref('ml_linha_de_base') }} as base
    inner join {{ ref('ml_versoes') }} as versoes
        on base.modelo_id = versoes.modelo_id
    where versoes.is_em_vigor

),

atribuicoes as (

    select
        atribuicoes.*,
        base.valor as distancia_maxima
    from {{ ref('ml_atribuicoes') }} as atribuicoes
    inner join {{ ref('feat_referencias') }} as referencias
        on
            atribuicoes.dt_ref = referencias.dt_ref
            and referencias.papel = 'atual'
    inner join base
        on
            atribuicoes.modelo_id = base.modelo_id
            and atribuicoes.cluster = base.faixa
            and base.medida = 'distancia'

),

agora as (

    select
        passo,
        count(*) as clientes,
        avg(case when distancia > distancia_maxima then 1.0 else 0.0 end) as longe,
        {{ silhueta_simplificada() }} as silhueta
    from atribuicoes
    group by 1

),

final as (

    select
        agora.passo,
        'silhueta' as indicador,
        'todos' as item,
        base.valor as base,
        agora.silhueta as atual,
        base.valor - agora.silhueta as valor,
        0 as valor_esperado,
        base.clientes as clientes_base,
        agora.clientes
    from agora
    inner join base
        on
            agora.passo = base.passo
            and base.medida = 'silhueta'

    union all

    select
        agora.passo,
        'distancia' as indicador,
        'todos' as item,
        0.01 as base,
        agora.longe as atual,
        agora.longe as valor,
        0.01 as valor_esperado,
        base.clientes as clientes_base,
        agora.clientes
    from agora
    inner join base
        on
            agora.passo = base.passo
            and base.medida = 'silhueta'

)

select * from final
