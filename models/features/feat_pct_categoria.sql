with

periodos as (

    select
        referencias.dt_ref,
        periodos.*
    from {{ ref('feat_cliente_periodo') }} as periodos
    inner join {{ ref('feat_referencias') }} as referencias
        on periodos.ordem = referencias.ordem

),

final as (

    {{ reparte_por_categoria('periodos', lista_categorias()) }}

)

select * from final
