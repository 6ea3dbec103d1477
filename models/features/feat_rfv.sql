with

compras as (

    select * from {{ ref('feat_cliente_compras') }}

),

categorias as (

    select * from {{ ref('feat_pct_categoria') }}

),

com_faixa as (

    select
        compras.*,
        {{ base_do_valor('valor_bruto', 'valor_devolvido') }} as valor,
        case
            when compras.frequencia = 0 then 'sem_compra_na_janela'
            {% if tem_coluna('vendas', 'categoria_produto') -%}
            when not coalesce(categorias.is_com_categoria, false)
                then 'sem_categoria'
            {% endif -%}
            when compras.is_compra_unica then 'compra_unica'
            else 'ativo'
        end as faixa
    from compras
    left join categorias
        on
            compras.dt_ref = categorias.dt_ref
            and compras.id_cliente = categorias.id_cliente

),

final as (

    select
        dt_ref,
        id_cliente,
        faixa,
        {{ dbt.datediff('data_ultima_compra', 'dt_ref', 'day') }}
            as recencia_dias,
        frequencia,
        frequencia_dias,
        cast(valor_bruto as {{ tipo_valor() }}) as valor_bruto,
        cast(valor_devolvido as {{ tipo_valor() }}) as valor_devolvido,
        cast(valor_bruto - valor_devolvido as {{ tipo_valor() }}) as valor_liquido,
        cast(valor as {{ tipo_valor() }}) as valor,
        cast(valor_bruto / nullif(frequencia, 0) as decimal(18, 2)) as ticket_medio,
        valor_bruto < valor_devolvido as is_liquido_negativo,
        cast(linhas as {{ dbt.type_bigint() }}) as linhas,
        cast(itens as {{ tipo_valor() }}) as itens,
        cast(devolucoes as {{ tipo_valor() }}) as devolucoes,
        {{ dbt.datediff('data_primeira_compra', 'dt_ref', 'day') }}
            as idade_base_dias
    from com_faixa

)

select * from final
