{{ config(materialized='view') }}

with

clientes as (

    select * from {{ ref('cluster_clientes') }}

),

compras as (

    select * from {{ ref('feat_rfv') }}

),

final as (

    select
        clientes.dt_ref,
        clientes.cluster,
        clientes.cluster_rfv,
        clientes.cluster_categoria,
        clientes.segmento_rfv_id,
        clientes.segmento_categoria_id,
        count(*) as clientes,
        sum(clientes.valor) as receita,
        {{ mediana('clientes.recencia_dias') }} as recencia_mediana,
        {{ mediana('clientes.frequencia') }} as frequencia_mediana,
        {{ mediana('clientes.valor') }} as valor_mediano,
        -- sum over sum, not the mean of ratios
        sum(compras.valor_bruto) / nullif(sum(compras.frequencia), 0)
            as ticket_medio,
        max(clientes.modelo_rfv_id) as modelo_rfv_id,
        max(clientes.modelo_categoria_id) as modelo_categoria_id
    from clientes
    inner join compras
        on
            clientes.dt_ref = compras.dt_ref
            and clientes.id_cliente = compras.id_cliente
    group by 1, 2, 3, 4, 5, 6

)

select * from final
