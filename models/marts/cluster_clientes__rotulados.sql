{{ config(materialized='view') }}

with

clientes as (

    select * from {{ ref('feat_rfv') }}

),

final as (

    {{ rotula_clientes('clientes', ref('ml_atribuicoes'), ref('ml_nomes_em_vigor')) }}

)

select * from final
