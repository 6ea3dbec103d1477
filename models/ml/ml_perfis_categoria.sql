{{ config(materialized='view') }}

with

candidatos as (

    select * from {{ ref('ml_candidatos') }}
    where passo = 'categoria'

),

escolhido as (

    select * from {{ ref('ml_escolha_k') }}
    where passo = 'categoria' and is_escolhido

),

apelidos as (

    select * from {{ origem('apelidos_categoria') }}

),

categorias as (

    select * from {{ ref('feat_categorias') }}
    -- a collecting bucket is nobody's taste
    where not is_outras

),

-- distance from the base in customer deviations, not the raw share: one
-- expensive category can be most of everybody's spending
indices as (

    select
        candidatos.k,
        candidatos.cluster,
        candidatos.clientes,
        candidatos.media_cluster as participacao,
        categorias.categoria_id,
        categorias.posicao,
        coalesce(
            apelidos.apelido_unico, replace(categorias.categoria, ' ', '_') || '_Lovers'
        ) as apelido_unico,
        coalesce(apelidos.apelido_par, replace(categorias.categoria, ' ', '_'))
            as apelido_par,
        (candidatos.media_cluster - candidatos.media_base)
        / nullif(candidatos.desvio_base, 0) as indice
    from candidatos
    inner join escolhido on candidatos.k = escolhido.k
    inner join categorias
        on candidatos.variavel = 'pct_' || categorias.categoria_id
    left join apelidos on categorias.categoria_id = apelidos.categoria_id

),

com_lideres as (

    select
        *,
        participacao >= {{ var('lider_participacao') }} as is_relevante,
        participacao >= {{ var('lider_participacao') }}
        and indice >= {{ var('lider_desvios') }}
        and indice >= {{ var('lider_relativo') }} * max(
            case when participacao >= {{ var('lider_participacao') }} then indice end
        ) over (partition by cluster) as is_lider
    from indices
    where indice is not null

),

final as (

    select
        *,
        row_number() over (
            partition by cluster
            order by is_lider desc, is_relevante desc, indice desc, categoria_id
        ) as lugar
    from com_lideres

)

select * from final
