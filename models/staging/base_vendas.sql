{{ config(materialized='view') }}

with

linhas as (

    select
        {{ coluna('vendas', 'id_cliente') }} as id_cliente_origem,
        {{ coluna('vendas', 'data_venda') }} as data_venda_origem,
        {{ coluna('vendas', 'valor_venda') }} as valor_venda_origem,
        {{ coluna('vendas', 'quantidade') }} as quantidade_origem,
        {{ coluna('vendas', 'preco_unitario') }} as preco_unitario_origem,
        {{ coluna('vendas', 'id_venda') }} as id_venda_origem,
        {{ coluna('vendas', 'id_linha') }} as id_linha_origem,
        {{ coluna('vendas', 'id_produto') }} as id_produto_origem,
        {{ coluna('vendas', 'categoria_produto') }} as categoria_origem,
        {{ coluna('vendas', 'moeda') }} as moeda_origem,
        {{ coluna('vendas', 'pais') }} as pais_origem
    from {{ origem('vendas') }}

),

lidas as (

    select
        *,
        {{ le_texto('id_cliente_origem') }} as id_cliente_lido,
        {{ le_texto('id_venda_origem') }} as id_venda_lido,
        {{ le_texto('id_linha_origem') }} as id_linha,
        {{ le_texto('id_produto_origem') }} as id_produto,
        {{ le_texto('categoria_origem') }} as categoria_produto,
        upper({{ le_texto('moeda_origem') }}) as moeda,
        {{ le_texto('pais_origem') }} as pais,
        {{ le_data('data_venda_origem') }} as data_venda,
        {{ quantidade_lida() }} as quantidade,
        {{ le_numero('preco_unitario_origem') }} as preco_lido,
        {{ le_numero('valor_venda_origem') }} as valor_lido
    from linhas

),

final as (

    select
        *,
        {{ cliente_ou_anonimo() }} as id_cliente,
        {{ preco_da_linha() }} as preco_unitario,
        {{ valor_da_linha() }} as valor_venda
    from lidas

)

select * from final
