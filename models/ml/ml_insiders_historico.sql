{{ config(materialized='view') }}

with

recompra as (

    select * from {{ ref('feat_recompra') }}

),

datas as (

    select * from {{ ref('feat_insiders_datas') }}

),

membros as (

    select * from {{ ref('ml_insiders_membros') }}

),

resultado as (

    select * from {{ ref('feat_resultado_seguinte') }}

),

final as (

    select
        recompra.dt_ref,
        recompra.id_cliente,
        datas.ordem,
        datas.dias_observados as dias_janela,
        {{ dbt.datediff(
            'datas.dt_ref',
            'coalesce(datas.dt_ref_seguinte, '
            ~ menos_meses('datas.dt_ref', -var('janela_meses')) ~ ')',
            'day'
        ) }} as dias_horizonte,
        recompra.recompras,
        recompra.dias_ate_ultima,
        recompra.idade_base_dias,
        coalesce(recompra.valor_medio_recompra, 0) as valor_medio_recompra,
        membros.id_cliente is not null as is_na_janela,
        coalesce(membros.is_insider, false) as is_insider,
        coalesce(membros.is_base_valor, false) as is_base_valor,
        coalesce(membros.is_placebo, false) as is_placebo,
        coalesce(membros.valor, 0) as valor,
        coalesce(resultado.receita, 0) as receita_seguinte,
        coalesce(resultado.pedidos, 0) as pedidos_seguintes
    from recompra
    inner join datas on recompra.dt_ref = datas.dt_ref
    left join membros
        on
            recompra.dt_ref = membros.dt_ref
            and recompra.id_cliente = membros.id_cliente
    left join resultado
        on
            recompra.dt_ref = resultado.dt_ref
            and recompra.id_cliente = resultado.id_cliente

)

select * from final
