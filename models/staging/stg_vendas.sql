-- a view: DuckDB reads a column of Parquet faster than it writes a table of
-- text; set +materialized: table where the source is slow to read, such as CSV
{{ config(
    materialized='view',
    post_hook="{{ checa_moeda_unica() }}"
) }}

with

vendas as (

    select * from {{ ref('base_vendas_motivo') }}
    where motivo is null

),

com_tipo as (

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
        {{ tipo_da_linha() }} as tipo
    from vendas

),

final as (

    select
        *,
        tipo = 'compra' as is_compra,
        tipo = 'devolucao' as is_devolucao
    from com_tipo

)

select * from final
