{{ config(materialized='view') }}

with

modelos as (

    select * from {{ ref('ml_modelos') }}

),

final as (

    select * from modelos
    -- one training run writes the versions of both steps, so a step that the
    -- last run could not fit is no longer in force
    where treinado_em = (select max(m.treinado_em) from modelos as m)

)

select * from final
