{{ config(materialized='view') }}

with

modelos as (

    select * from {{ ref('ml_modelo_em_vigor') }}
    where posicao = 0

),

final as (

    select
        modelo_id,
        passo,
        k,
        cluster,
        ordem,
        segmento_id,
        rotulo,
        clientes,
        silhueta,
        is_instavel,
        is_sem_estrutura
    from modelos

)

select * from final
