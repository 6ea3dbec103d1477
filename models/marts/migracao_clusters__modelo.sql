{{ config(materialized='view') }}

-- Today's customers under the versions of the date published before: what only
-- the change of model did to them.

with

clientes as (

    select clientes.*
    from {{ ref('feat_rfv') }} as clientes
    inner join {{ ref('feat_referencias') }} as referencias
        on
            clientes.dt_ref = referencias.dt_ref
            and referencias.papel = 'atual'

),

atribuicoes as (

    {{ atribui_clientes(
        ref('ml_modelos'),
        condicao=versoes_publicadas_antes(),
        lidas=[ref('cluster_clientes_historico'), ref('feat_referencias')],
        so_atual=true
    ) }}

),

nomes as (

    select
        modelos.*,
        segmentos.identidade
    from {{ ref('ml_modelos') }} as modelos
    inner join {{ ref('ml_segmentos') }} as segmentos
        on
            modelos.modelo_id = segmentos.modelo_id
            and modelos.cluster = segmentos.cluster
    where modelos.posicao = 0

),

rotulados as (

    {{ rotula_clientes('clientes', 'atribuicoes', 'nomes') }}

),

final as (

    select
        rotulados.*,
        {{ dt_ref_publicada_antes() }} as dt_ref_anterior
    from rotulados
    -- nothing was published before: nothing to compare
    where {{ dt_ref_publicada_antes() }} is not null

)

select * from final
