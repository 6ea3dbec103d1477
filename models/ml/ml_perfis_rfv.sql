{{ config(materialized='view') }}

with

candidatos as (

    select * from {{ ref('ml_candidatos') }}
    where passo = 'rfv'

),

escolhido as (

    select * from {{ ref('ml_escolha_k') }}
    where passo = 'rfv' and is_escolhido

),

perfis as (

    select
        candidatos.k,
        candidatos.cluster,
        max(candidatos.clientes) as clientes,
        max(case when variavel = 'valor' then media_cluster end) as valor_medio,
        max(case when variavel = 'frequencia' then media_cluster end)
            as frequencia_media,
        max(case when variavel = 'recencia_dias' then mediana_cluster end)
            as recencia_mediana
    from candidatos
    inner join escolhido on candidatos.k = escolhido.k
    group by 1, 2

),

-- profiles decide, the cluster's number never does: the later columns of
-- each ordering only break ties
com_vip as (

    select
        *,
        row_number() over (
            order by valor_medio desc, frequencia_media desc, recencia_mediana
        ) = 1 as is_vip
    from perfis

),

com_recencia as (

    select
        *,
        row_number() over (
            order by is_vip, recencia_mediana desc, valor_medio, frequencia_media
        ) as lugar_recencia,
        max(case when not is_vip then recencia_mediana end) over ()
            as recencia_do_churn
    from com_vip

),

final as (

    select
        *,
        case
            when is_vip then 'vip'
            when lugar_recencia = 1 then 'churn'
            when
                k >= 6
                and lugar_recencia = 2
                and recencia_mediana
                >= {{ var('churn_inicial_minimo') }} * recencia_do_churn
                then 'churn_inicial'
            else 'outro'
        end as papel
    from com_recencia

)

select * from final
