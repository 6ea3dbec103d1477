{{ config(materialized='view') }}

with

datas as (

    select * from {{ ref('feat_insiders_datas') }}

),

-- how well each rule finds the group, at its own date and at the next one
acertos as (

    select
        avaliada.dt_regra,
        avaliada.dt_ref,
        count(*) as clientes,
        sum(case when avaliada.is_regra then 1 else 0 end) as escolhidos,
        sum(case when membros.is_insider then 1 else 0 end) as membros,
        cast(sum(
            case when avaliada.is_regra and membros.is_insider then 1 else 0 end
        ) as {{ tipo_real() }}) as certos
    from {{ ref('ml_insiders_regra_avaliada') }} as avaliada
    inner join {{ ref('ml_insiders_membros') }} as membros
        on
            avaliada.dt_ref = membros.dt_ref
            and avaliada.id_cliente = membros.id_cliente
    group by 1, 2

),

atual as (

    select * from datas
    where ordem = 0

),

anterior as (

    select * from datas
    -- windows of different length put different meanings on the same limit
    where ordem = 1 and is_comparavel

),

entrada as (

    select
        atual.dt_ref,
        agora.clientes,
        agora.certos / nullif(agora.escolhidos, 0) as precisao_agora,
        agora.certos / nullif(agora.membros, 0) as revocacao_agora,
        seguinte.certos / nullif(seguinte.escolhidos, 0) as precisao_na_data_seguinte,
        seguinte.certos / nullif(seguinte.membros, 0) as revocacao_na_data_seguinte,
        'insiders' as grupo
    from atual
    left join acertos as agora
        on
            atual.dt_ref = agora.dt_regra
            and atual.dt_ref = agora.dt_ref
    left join anterior on true
    left join acertos as seguinte
        on
            anterior.dt_ref = seguinte.dt_regra
            and atual.dt_ref = seguinte.dt_ref

),

final as (

    {% for medida in [
        'precisao_agora',
        'revocacao_agora',
        'precisao_na_data_seguinte',
        'revocacao_na_data_seguinte',
    ] -%}
    {{ item_do_relatorio(
        6, loop.index, medida, 'fracao', 'ml_insiders_regra_avaliada', 'entrada'
    ) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from final
