with

vendas as (

    select * from {{ ref('stg_vendas') }}

),

datas as (

    select * from {{ ref('feat_insiders_datas') }}
    where dt_ref_seguinte is not null

),

final as (

    select
        datas.dt_ref,
        vendas.id_cliente,
        count(distinct case when vendas.is_compra then vendas.id_venda end)
            as pedidos,
        cast(sum(
            case
                when vendas.is_compra then vendas.valor_venda
                {% if var('base_valor') == 'liquido' -%}
                when vendas.is_devolucao then vendas.valor_venda
                {%- endif %}
                else 0
            end
        ) as {{ tipo_valor() }}) as receita
    from vendas
    inner join datas
        on
            vendas.data_venda >= datas.dt_ref
            and vendas.data_venda < datas.dt_ref_seguinte
    group by 1, 2

)

select * from final
