{{ config(materialized='view') }}

with

final as (

    {{ valores_por_variavel(
        ref('ml_atribuicoes'),
        variaveis_do_modelo('categoria', ref('ml_modelo_em_vigor'))
    ) }}

)

select * from final
