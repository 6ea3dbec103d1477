with

vendas as (

    select * from {{ ref('feat_vendas_janela') }}
    where is_na_janela

),

por_grafia as (

    select
        dt_ref,
        id_cliente,
        categoria_produto,
        sum(case when is_compra then valor_venda else 0 end) as valor_bruto,
        -sum(case when is_devolucao then valor_venda else 0 end)
            as valor_devolvido
    from vendas
    group by 1, 2, 3

),

nomeadas as (

    select
        dt_ref,
        id_cliente,
        valor_bruto,
        valor_devolvido,
        coalesce(categoria_produto, 'Sem categoria') as categoria,
        coalesce({{ slug('categoria_produto') }}, 'sem_categoria') as categoria_id
    from por_grafia

),

-- spellings that differ in case or accents are one category
por_categoria as (

    select
        dt_ref,
        id_cliente,
        categoria_id,
        max(categoria) as categoria,
        sum(valor_bruto) as valor_bruto,
        sum(valor_devolvido) as valor_devolvido
    from nomeadas
    group by 1, 2, 3

),

final as (

    select
        *,
        {{ base_do_valor('valor_bruto', 'valor_devolvido') }} as valor
    from por_categoria

)

select * from final
