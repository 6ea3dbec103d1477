with

membros as (

    select membros.*
    from {{ ref('ml_insiders_membros') }} as membros
    inner join {{ ref('feat_referencias') }} as referencias
        on membros.dt_ref = referencias.dt_ref
    where referencias.papel = 'atual'

),

rotulos as (

    select * from {{ ref('ml_insiders_rotulos') }}

),

medidas as (

    select
        dt_ref,
        grupo,
        count(*) as clientes,
        sum(valor) as receita,
        {{ mediana('recencia_dias') }} as recencia_mediana,
        {{ mediana('idade_base_dias') }} as idade_mediana,
        cast(sum(frequencia) as {{ tipo_real() }}) as pedidos,
        cast(sum(valor_bruto) as {{ tipo_real() }}) as bruto,
        cast(sum(itens) as {{ tipo_real() }}) as itens,
        cast(sum(devolucoes) as {{ tipo_real() }}) as devolucoes,
        cast(sum(produtos_distintos) as {{ tipo_real() }}) as produtos
    from membros
    group by 1, 2

),

final as (

    select
        medidas.dt_ref,
        cast(row_number() over (
            order by medidas.receita desc, medidas.clientes desc, rotulos.grupo_id
        ) as {{ dbt.type_int() }}) as posicao,
        rotulos.grupo_id,
        rotulos.nome as grupo,
        rotulos.is_insiders,
        cast(medidas.clientes as {{ dbt.type_int() }}) as clientes,
        medidas.clientes / cast(sum(medidas.clientes) over () as {{ tipo_real() }})
            as participacao_clientes,
        cast(medidas.receita as decimal(18, 2)) as receita,
        medidas.receita
        / cast(nullif(sum(medidas.receita) over (), 0) as {{ tipo_real() }})
            as participacao_receita,
        medidas.receita / cast(medidas.clientes as {{ tipo_real() }})
            as receita_media,
        cast(medidas.recencia_mediana as {{ tipo_real() }}) as recencia_mediana,
        medidas.pedidos / medidas.clientes as frequencia_media,
        -- sums over sums, not means of ratios
        medidas.bruto / medidas.pedidos as ticket_medio,
        medidas.itens / medidas.pedidos as cesta_media,
        medidas.produtos / medidas.clientes as produtos_medios,
        medidas.devolucoes / nullif(medidas.itens, 0) as taxa_devolucao,
        cast(medidas.idade_mediana as {{ tipo_real() }}) as idade_mediana,
        rotulos.descricao,
        rotulos.acao_sugerida,
        '{{ invocation_id }}' as run_id,
        {{ momento_da_execucao() }} as calculado_em
    from medidas
    inner join rotulos
        on
            medidas.dt_ref = rotulos.dt_ref
            and medidas.grupo = rotulos.grupo

)

select * from final
order by posicao
