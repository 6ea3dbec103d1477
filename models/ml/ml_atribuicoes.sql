with

clientes as (

    select * from {{ ref('feat_rfv') }}
    where {{ texto_na_lista('faixa', var('faixas_no_ajuste')) }}

),

categorias as (

    select categorias.*
    from {{ ref('feat_pct_categoria') }} as categorias
    inner join clientes
        on
            categorias.dt_ref = clientes.dt_ref
            and categorias.id_cliente = clientes.id_cliente
    where categorias.is_com_categoria

),

rfv as (

    {{ atribui_cluster('rfv', 'clientes', variaveis_rfv()) }}

),

{% if variaveis_categoria() -%}
categoria as (

    {{ atribui_cluster('categoria', 'categorias', variaveis_categoria()) }}

),
{%- endif %}

final as (

    select * from rfv
    {% if variaveis_categoria() -%}
    union all
    select * from categoria
    {%- endif %}

)

select * from final
