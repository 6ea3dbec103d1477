with

segmentos as (

    select
        segmentos.*,
        modelos.dt_ref_treino,
        modelos.rotulo,
        modelos.segmento_id as codigo,
        modelos.clientes
    from {{ ref('ml_segmentos') }} as segmentos
    inner join {{ ref('ml_modelos') }} as modelos
        on
            segmentos.modelo_id = modelos.modelo_id
            and segmentos.cluster = modelos.cluster
            and modelos.posicao = 0

),

versoes as (

    select
        passo,
        modelo_id,
        dt_ref_treino,
        max(modelo_anterior_id) as modelo_anterior_id,
        max(ari) as ari,
        max(participacao_renomeada) as participacao_renomeada
    from segmentos
    group by 1, 2, 3

),

aposentados as (

    select
        versoes.modelo_id,
        antigos.identidade
    from versoes
    inner join segmentos as antigos
        on versoes.modelo_anterior_id = antigos.modelo_id
    left join segmentos as novos
        on
            versoes.modelo_id = novos.modelo_id
            and antigos.identidade = novos.identidade
    where novos.identidade is null

),

linhas as (

    select
        modelo_id,
        identidade,
        case when is_novo then 'novo' else 'continua' end as situacao
    from segmentos
    union all
    select
        modelo_id,
        identidade,
        'aposentado' as situacao
    from aposentados

),

final as (

    select
        versoes.dt_ref_treino as dt_ref,
        versoes.passo,
        versoes.modelo_anterior_id,
        versoes.modelo_id,
        linhas.identidade as segmento_id,
        linhas.situacao,
        antes.rotulo as rotulo_anterior,
        depois.rotulo,
        antes.codigo as codigo_anterior,
        depois.codigo,
        cast(antes.clientes as {{ dbt.type_bigint() }}) as clientes_treino_anterior,
        cast(depois.clientes as {{ dbt.type_bigint() }}) as clientes_treino,
        coalesce(depois.clientes_comuns, parceiro.clientes_comuns)
            as clientes_comuns,
        coalesce(depois.jaccard, parceiro.jaccard) as jaccard,
        versoes.ari,
        versoes.participacao_renomeada,
        '{{ invocation_id }}' as run_id,
        {{ momento_da_execucao() }} as calculado_em
    from linhas
    inner join versoes on linhas.modelo_id = versoes.modelo_id
    left join segmentos as depois
        on
            linhas.modelo_id = depois.modelo_id
            and linhas.identidade = depois.identidade
    left join segmentos as antes
        on
            versoes.modelo_anterior_id = antes.modelo_id
            and linhas.identidade = antes.identidade
    -- whom a retired segment was paired with, if not alike enough
    left join segmentos as parceiro
        on
            linhas.modelo_id = parceiro.modelo_id
            and linhas.situacao = 'aposentado'
            and antes.cluster = parceiro.cluster_anterior

)

select * from final
