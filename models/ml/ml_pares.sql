{{ config(materialized='view') }}

with

confronto as (

    select * from {{ ref('ml_confronto') }}

),

pareamento as (

    select * from {{ ref('ml_pareamento') }}
    where is_par

),

nomes as (

    select
        modelo_id,
        cluster,
        rotulo
    from {{ ref('ml_modelos') }}
    where posicao = 0

),

-- the same customers on the same day: only the model makes this difference
passos as (

    select
        confronto.passo,
        confronto.passo_numero,
        confronto.modelo_id,
        confronto.modelo_anterior_id,
        sum(case when novo.rotulo <> antigo.rotulo then confronto.clientes else 0 end)
        / cast(sum(confronto.clientes) as {{ tipo_real() }})
            as participacao_renomeada
    from confronto
    inner join nomes as novo
        on
            confronto.modelo_id = novo.modelo_id
            and confronto.cluster = novo.cluster
    inner join nomes as antigo
        on
            confronto.modelo_anterior_id = antigo.modelo_id
            and confronto.cluster_anterior = antigo.cluster
    group by 1, 2, 3, 4

),

final as (

    select
        passos.passo,
        passos.modelo_id,
        pareamento.cluster,
        passos.modelo_anterior_id,
        pareamento.cluster_anterior,
        pareamento.clientes as clientes_comuns,
        pareamento.jaccard,
        pareamento.ari,
        passos.participacao_renomeada
    from passos
    inner join pareamento on passos.passo_numero = pareamento.passo_numero

)

select * from final
