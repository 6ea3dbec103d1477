{{ config(materialized='view') }}

with

datas as (

    select * from {{ ref('feat_insiders_datas') }}

),

avaliada as (

    select * from {{ ref('ml_insiders_regra_avaliada') }}

),

-- the rule of today, also at the earlier dates that can be compared with today
de_hoje as (

    select
        avaliada.*,
        datas.ordem,
        datas.is_comparavel or datas.ordem = 0 as is_comparavel
    from avaliada
    inner join datas as datas_da_regra
        on
            avaliada.dt_regra = datas_da_regra.dt_ref
            and datas_da_regra.ordem = 0
    inner join datas on avaliada.dt_ref = datas.dt_ref

),

passado as (

    select count(*) > 0 as is_conhecido
    from datas
    where ordem = 1 and is_comparavel

),

final as (

    select
        id_cliente,
        max(case when ordem = 0 and is_regra then 1 else 0 end) = 1 as is_regra,
        -- null, not false: without an earlier date nobody can have come since
        case
            when passado.is_conhecido
                then max(case when ordem = 1 and is_regra then 1 else 0 end) = 1
        end as is_regra_anterior,
        max(case when ordem = 0 then condicoes_em_falta end)
            as condicoes_em_falta,
        max(case when ordem = 0 then condicao_proxima end) as condicao_proxima,
        max(case when ordem = 0 then operador end) as operador,
        max(case when ordem = 0 then limite end) as limite,
        max(case when ordem = 0 then falta end) as falta,
        -- dates since the last one at which the rule held; null if it never did
        min(case when is_regra then ordem end) as datas_em_falha
    from de_hoje
    cross join passado
    where is_comparavel
    group by 1, passado.is_conhecido

)

select * from final
