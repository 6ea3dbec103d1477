{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false
) }}

with

conhecidos as (

    {% if is_incremental() -%}
    select
        passo,
        modelo_id,
        cluster,
        identidade
    from {{ this }}
    {%- else -%}
    select
        cast(null as {{ dbt.type_string() }}) as passo,
        cast(null as {{ dbt.type_string() }}) as modelo_id,
        cast(null as {{ dbt.type_int() }}) as cluster,
        cast(null as {{ dbt.type_string() }}) as identidade
    where false
    {%- endif %}

),

novos as (

    select
        modelos.passo,
        modelos.modelo_id,
        modelos.cluster,
        modelos.ordem
    from {{ ref('ml_modelos') }} as modelos
    inner join {{ ref('ml_versoes') }} as versoes
        on modelos.modelo_id = versoes.modelo_id
    where
        versoes.is_nova
        and modelos.posicao = 0
        -- a fit that was made before keeps what it was then
        and not exists (
            select 1
            from conhecidos
            where conhecidos.modelo_id = modelos.modelo_id
        )

),

pares as (

    select * from {{ ref('ml_pares') }}

),

herdados as (

    select
        novos.*,
        pares.modelo_anterior_id,
        pares.cluster_anterior,
        pares.clientes_comuns,
        pares.jaccard,
        pares.ari,
        pares.participacao_renomeada,
        case
            when pares.jaccard >= {{ var('jaccard_minimo') }}
                then conhecidos.identidade
        end as identidade_herdada
    from novos
    left join pares
        on novos.modelo_id = pares.modelo_id and novos.cluster = pares.cluster
    left join conhecidos
        on
            pares.modelo_anterior_id = conhecidos.modelo_id
            and pares.cluster_anterior = conhecidos.cluster

),

-- numbers are never given twice, and follow the profile, not the cluster
final as (

    select
        passo,
        modelo_id,
        cluster,
        coalesce(identidade_herdada, {{ identidade_nova() }}) as identidade,
        identidade_herdada is null as is_novo,
        modelo_anterior_id,
        cluster_anterior,
        clientes_comuns,
        jaccard,
        ari,
        participacao_renomeada,
        '{{ invocation_id }}' as run_id,
        {{ momento_da_execucao() }} as registrado_em
    from herdados

)

select * from final
