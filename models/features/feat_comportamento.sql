with

compras as (

    select * from {{ ref('feat_comportamento__compras') }}
    -- a return is no activity: without a purchase in the window no behaviour
    where frequencia > 0

),

rfv as (

    select * from {{ ref('feat_rfv') }}

),

reais as (

    select
        compras.*,
        {{ base_do_valor('compras.valor_bruto', 'compras.valor_devolvido') }}
            as valor,
        cast(compras.frequencia as {{ tipo_real() }}) as pedidos,
        {{ dbt.datediff('data_primeira_compra', 'data_ultima_compra', 'day') }}
            as dias_entre_compras,
        {{ dbt.datediff('data_ultima_compra', 'compras.dt_ref', 'day') }}
            as recencia_dias,
        rfv.idade_base_dias
    from compras
    inner join rfv
        on
            compras.dt_ref = rfv.dt_ref
            and compras.id_cliente = rfv.id_cliente

),

final as (

    select
        dt_ref,
        id_cliente,
        cast(valor_bruto as {{ tipo_valor() }}) as valor_bruto,
        cast(valor_devolvido as {{ tipo_valor() }}) as valor_devolvido,
        cast(valor_bruto - valor_devolvido as {{ tipo_valor() }}) as valor_liquido,
        cast(valor as {{ tipo_valor() }}) as valor,
        recencia_dias,
        frequencia,
        frequencia_dias,
        cast(itens as {{ tipo_valor() }}) as itens,
        cast(devolucoes as {{ tipo_valor() }}) as devolucoes,
        cast(devolucoes as {{ tipo_real() }})
        / cast(nullif(itens, 0) as {{ tipo_real() }}) as taxa_devolucao,
        cast(itens as {{ tipo_real() }}) / pedidos as cesta_media,
        cast(valor_bruto / frequencia as decimal(18, 2)) as ticket_medio,
        {% if tem_coluna('vendas', 'id_produto') -%}
        produtos_distintos,
        produtos_por_pedido / pedidos as itens_unicos_medios,
        {%- else -%}
        cast(null as {{ dbt.type_bigint() }}) as produtos_distintos,
        cast(null as {{ tipo_real() }}) as itens_unicos_medios,
        {%- endif %}
        dias_entre_compras
        / cast(nullif(frequencia_dias - 1, 0) as {{ tipo_real() }})
            as intervalo_medio_dias,
        -- 1.0 for everybody who bought once would rank customers backwards
        case when frequencia > 1 then pedidos / (dias_entre_compras + 1) end
            as frequencia_insiders,
        idade_base_dias
    from reais

)

select * from final
