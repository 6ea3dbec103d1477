with

rotulados as (

    select rotulados.*
    from {{ ref('cluster_clientes__rotulados') }} as rotulados
    inner join {{ ref('feat_referencias') }} as referencias
        on rotulados.dt_ref = referencias.dt_ref
    where
        referencias.papel = 'atual'
        and (
            rotulados.faixa <> 'sem_compra_na_janela'
            or {{ var('mostra_sem_compra') | lower }}
        )

),

final as (

    select
        dt_ref,
        id_cliente,
        cluster,
        cluster_rfv,
        cluster_categoria,
        segmento_id,
        segmento_rfv_id,
        segmento_categoria_id,
        faixa,
        cast(recencia_dias as {{ dbt.type_int() }}) as recencia_dias,
        cast(frequencia as {{ dbt.type_int() }}) as frequencia,
        cast(valor as decimal(18, 2)) as valor,
        ticket_medio,
        distancia,
        margem,
        modelo_rfv_id,
        modelo_categoria_id,
        '{{ invocation_id }}' as run_id,
        {{ momento_da_execucao() }} as calculado_em
    from rotulados

)

select * from final
