with

clientes as (

    select clientes.*
    from {{ ref('feat_rfv') }} as clientes
    inner join {{ ref('feat_referencias') }} as referencias
        on clientes.dt_ref = referencias.dt_ref
    where
        referencias.papel = 'atual'
        and (
            clientes.faixa <> 'sem_compra_na_janela'
            or {{ var('mostra_sem_compra') | lower }}
        )

),

atribuicoes as (

    select
        atribuicoes.*,
        nomes.rotulo,
        nomes.segmento_id
    from {{ ref('ml_atribuicoes') }} as atribuicoes
    inner join {{ ref('ml_nomes_em_vigor') }} as nomes
        on
            atribuicoes.modelo_id = nomes.modelo_id
            and atribuicoes.cluster = nomes.cluster

),

-- lanes that take no part in the clustering are named by rule
nomes_de_faixa as (

    select * from {{ origem('rotulos_rfv') }}

),

rotulados as (

    select
        clientes.*,
        rfv.distancia,
        rfv.margem,
        rfv.modelo_id as modelo_rfv_id,
        categoria.modelo_id as modelo_categoria_id,
        coalesce(rfv.rotulo, nomes_de_faixa.nome) as cluster_rfv,
        coalesce(rfv.segmento_id, nomes_de_faixa.segmento_id) as segmento_rfv_id,
        categoria.rotulo as cluster_categoria,
        categoria.segmento_id as segmento_categoria_id
    from clientes
    left join atribuicoes as rfv
        on
            clientes.dt_ref = rfv.dt_ref
            and clientes.id_cliente = rfv.id_cliente
            and rfv.passo = 'rfv'
    left join atribuicoes as categoria
        on
            clientes.dt_ref = categoria.dt_ref
            and clientes.id_cliente = categoria.id_cliente
            and categoria.passo = 'categoria'
    left join nomes_de_faixa on clientes.faixa = nomes_de_faixa.papel

),

final as (

    select
        dt_ref,
        id_cliente,
        cluster_rfv || coalesce(':' || cluster_categoria, '') as cluster,
        cluster_rfv,
        cluster_categoria,
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
