{{ config(materialized='view') }}

with

rotulos as (

    select * from {{ ref('ml_rotulos') }}

),

candidatos as (

    select * from {{ ref('ml_candidatos') }}

),

referencias as (

    select * from {{ ref('feat_referencias') }}
    where papel = 'atual'

),

linhas as (

    select
        referencias.dt_ref as dt_ref_treino,
        rotulos.passo,
        rotulos.k,
        rotulos.cluster,
        rotulos.ordem,
        rotulos.segmento_id,
        rotulos.rotulo,
        candidatos.variavel,
        candidatos.posicao,
        candidatos.transformacao,
        candidatos.deslocamento,
        candidatos.escala,
        candidatos.centro,
        candidatos.clientes,
        candidatos.clientes_ajuste,
        rotulos.silhueta,
        rotulos.is_instavel,
        rotulos.is_sem_estrutura,
        candidatos.digest
    from rotulos
    inner join candidatos
        on
            rotulos.passo = candidatos.passo
            and rotulos.k = candidatos.k
            and rotulos.cluster = candidatos.cluster
    cross join referencias

),

-- the content is the identity: the same centres under the same names are the
-- same version, however often they are fitted
identidades as (

    select
        passo,
        passo || '-' || left(md5({{ conteudo_do_modelo() }}), 12) as modelo_id
    from linhas
    group by 1

),

final as (

    select
        identidades.modelo_id,
        linhas.*
    from linhas
    inner join identidades on linhas.passo = identidades.passo

)

select * from final
