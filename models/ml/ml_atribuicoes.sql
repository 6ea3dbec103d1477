with

final as (

    {{ atribui_clientes(ref('ml_modelo_em_vigor')) }}

)

select * from final
