with

final as (

    {{ reparte_por_categoria(ref('feat_cliente_categoria'), lista_categorias()) }}

)

select * from final
