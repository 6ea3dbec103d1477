{{ config(materialized='view') }}

with

modelos as (

    select * from {{ ref('ml_modelo_em_vigor') }}
    where posicao = 0

),

segmentos as (

    select * from {{ ref('ml_segmentos') }}

),

final as (

    select
        modelos.modelo_id,
        modelos.passo,
        modelos.k,
        modelos.cluster,
        modelos.ordem,
        segmentos.identidade,
        modelos.segmento_id,
        modelos.rotulo,
        modelos.clientes,
        modelos.silhueta,
        modelos.is_instavel,
        modelos.is_sem_estrutura
    from modelos
    inner join segmentos
        on
            modelos.modelo_id = segmentos.modelo_id
            and modelos.cluster = segmentos.cluster

)

select * from final
