{{ config(
    materialized='view',
    pre_hook="{{ exige_modelo_em_vigor(ref('ml_versoes')) }}"
) }}

-- depends_on: {{ ref('ml_segmentos') }}

with

modelos as (

    select * from {{ ref('ml_modelos') }}

),

versoes as (

    select * from {{ ref('ml_versoes') }}
    where is_em_vigor

),

final as (

    select modelos.*
    from modelos
    inner join versoes on modelos.modelo_id = versoes.modelo_id

)

select * from final
