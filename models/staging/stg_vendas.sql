{{ config(post_hook="{{ checa_moeda_unica() }}") }}

with

vendas as (

    select * from {{ ref('base_vendas_motivo') }}
    where motivo is null

),

final as (

    select
        id_cliente,
        data_venda,
        {{ pedido_da_linha() }} as id_venda,
        id_linha,
        id_produto,
        categoria_produto,
        quantidade,
        preco_unitario,
        valor_venda,
        moeda,
        pais,
        quantidade > 0 and valor_venda > 0 as is_compra,
        quantidade < 0 or valor_venda < 0 as is_devolucao
    from vendas

)

select * from final
