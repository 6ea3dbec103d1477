with

vendas as (

    select * from {{ ref('stg_vendas') }}
    where is_compra

),

datas as (

    select * from {{ ref('feat_insiders_datas') }}

),

dias as (

    select
        id_cliente,
        data_venda,
        sum(valor_venda) as valor
    from vendas
    group by 1, 2

),

numerados as (

    select
        *,
        row_number() over (
            partition by id_cliente
            order by data_venda
        ) = 1 as is_primeiro
    from dias

),

por_cliente as (

    select
        datas.dt_ref,
        numerados.id_cliente,
        count(*) - 1 as recompras,
        min(numerados.data_venda) as primeira,
        max(numerados.data_venda) as ultima,
        -- the first purchase is no repeat: it says how the customer came
        sum(case when numerados.is_primeiro then 0 else numerados.valor end)
            as valor_recompras
    from numerados
    inner join datas on numerados.data_venda < datas.dt_ref
    group by 1, 2

),

final as (

    select
        dt_ref,
        id_cliente,
        recompras,
        {{ dbt.datediff('primeira', 'ultima', 'day') }}
            as dias_ate_ultima,
        {{ dbt.datediff('primeira', 'dt_ref', 'day') }}
            as idade_base_dias,
        cast(valor_recompras as {{ tipo_real() }}) / nullif(recompras, 0)
            as valor_medio_recompra
    from por_cliente

)

select * from final
