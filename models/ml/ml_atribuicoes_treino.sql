{{ config(materialized='view') }}

with

final as (

    {{ atribui_clientes(
        ref('ml_modelos'),
        condicao="modelo_id in (select modelo_id from "
            ~ ref('ml_versoes') ~ " where is_nova)",
        lidas=[ref('ml_versoes')],
        so_atual=true
    ) }}

)

select * from final
