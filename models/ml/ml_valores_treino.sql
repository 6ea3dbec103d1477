{{ config(materialized='view') }}

{%- set nova = "modelo_id in (select modelo_id from "
    ~ ref('ml_versoes') ~ " where is_nova)" -%}
{%- set categorias = variaveis_do_modelo(
    'categoria', ref('ml_modelos'), nova, [ref('ml_versoes')]
) %}

with

final as (

    {{ valores_por_variavel(ref('ml_atribuicoes_treino'), categorias) }}

)

select * from final
