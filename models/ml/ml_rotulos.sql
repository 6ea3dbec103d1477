with

rotulos as (

    select * from {{ ref('ml_rotulos_rfv') }}
    union all
    select * from {{ ref('ml_rotulos_categoria') }}

),

candidatos as (

    select * from {{ ref('ml_candidatos') }}
    where posicao = 0

),

escolhas as (

    select * from {{ ref('ml_escolha_k') }}
    where is_escolhido

),

final as (

    select
        rotulos.passo,
        rotulos.cluster,
        rotulos.k,
        rotulos.ordem,
        rotulos.segmento_id,
        rotulos.rotulo,
        candidatos.clientes,
        candidatos.silhueta_cluster,
        escolhas.silhueta,
        escolhas.is_instavel,
        escolhas.is_sem_estrutura
    from rotulos
    inner join candidatos
        on
            rotulos.passo = candidatos.passo
            and rotulos.k = candidatos.k
            and rotulos.cluster = candidatos.cluster
    inner join escolhas on rotulos.passo = escolhas.passo

)

select * from final
