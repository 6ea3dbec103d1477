{{ config(materialized='view') }}

with

periodos as (

    select * from {{ ref('feat_cliente_periodo') }}

),

referencias as (

    select * from {{ ref('feat_referencias') }}

),

-- a purchase of any period before the date makes a customer; a return is no
-- activity
historia as (

    select
        referencias.dt_ref,
        referencias.ordem,
        periodos.id_cliente,
        min(periodos.data_primeira_compra) as data_primeira_compra,
        max(periodos.data_ultima_compra) as data_ultima_compra,
        min(periodos.primeiro_pedido) = max(periodos.ultimo_pedido)
            as is_compra_unica
    from periodos
    inner join referencias on periodos.ordem >= referencias.ordem
    where periodos.data_primeira_compra is not null
    group by 1, 2, 3

),

final as (

    select
        historia.dt_ref,
        historia.id_cliente,
        historia.data_primeira_compra,
        historia.data_ultima_compra,
        historia.is_compra_unica,
        {% for medida in [
            'frequencia', 'frequencia_dias', 'valor_bruto', 'valor_devolvido',
            'itens', 'devolucoes',
        ] -%}
        coalesce(janela.{{ medida }}, 0) as {{ medida }},
        {% endfor -%}
        coalesce(janela.linhas_compra, 0) as linhas
    from historia
    left join periodos as janela
        on
            historia.ordem = janela.ordem
            and historia.id_cliente = janela.id_cliente

)

select * from final
