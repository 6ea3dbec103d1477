with

medidas as (

    select * from {{ ref('perfil_clusters__medidas') }}

),

acoes as (

    select * from {{ origem('acoes_sugeridas') }}

),

veredictos as (

    select
        modelo_id,
        max(case when is_sem_estrutura then 1 else 0 end) = 1 as is_sem_estrutura
    from {{ ref('ml_nomes_em_vigor') }}
    group by 1

),

final as (

    select
        medidas.dt_ref,
        cast(row_number() over (
            partition by medidas.dt_ref
            order by medidas.receita desc, medidas.clientes desc, medidas.cluster
        ) as {{ dbt.type_int() }}) as posicao,
        medidas.cluster,
        medidas.cluster_rfv,
        medidas.cluster_categoria,
        medidas.segmento_rfv_id,
        medidas.segmento_categoria_id,
        cast(medidas.clientes as {{ dbt.type_int() }}) as clientes,
        medidas.clientes / cast(sum(medidas.clientes) over (
            partition by medidas.dt_ref
        ) as {{ tipo_real() }}) as participacao_clientes,
        cast(medidas.receita as decimal(18, 2)) as receita,
        medidas.receita / cast(nullif(sum(medidas.receita) over (
            partition by medidas.dt_ref
        ), 0) as {{ tipo_real() }}) as participacao_receita,
        cast(medidas.recencia_mediana as {{ tipo_real() }}) as recencia_mediana,
        cast(medidas.frequencia_mediana as {{ tipo_real() }})
            as frequencia_mediana,
        cast(medidas.valor_mediano as decimal(18, 2)) as valor_mediano,
        cast(medidas.ticket_medio as decimal(18, 2)) as ticket_medio,
        acoes.acao_sugerida,
        coalesce(rfv.is_sem_estrutura, false) as rfv_sem_estrutura,
        coalesce(categoria.is_sem_estrutura, false) as categoria_sem_estrutura,
        medidas.modelo_rfv_id,
        medidas.modelo_categoria_id,
        '{{ invocation_id }}' as run_id,
        {{ momento_da_execucao() }} as calculado_em
    from medidas
    left join acoes on medidas.segmento_rfv_id = acoes.segmento_id
    left join veredictos as rfv on medidas.modelo_rfv_id = rfv.modelo_id
    left join veredictos as categoria
        on medidas.modelo_categoria_id = categoria.modelo_id

)

select * from final
order by dt_ref, posicao
