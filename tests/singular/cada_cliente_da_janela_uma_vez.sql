-- A join on a label instead of a key once dropped customers of rare segments
-- and doubled others. Whoever bought in the window stands in the candidate
-- exactly once, and nobody else claims to have bought.

with

compradores as (

    select id_cliente
    from {{ ref('feat_cliente_periodo') }}
    where ordem = 0 and linhas_compra > 0

),

candidato as (

    select
        id_cliente,
        count(*) as linhas,
        max(frequencia) as frequencia
    from {{ ref('cluster_clientes__candidato') }}
    group by 1

)

select
    coalesce(compradores.id_cliente, candidato.id_cliente) as id_cliente,
    candidato.linhas,
    candidato.frequencia
from compradores
full join candidato on compradores.id_cliente = candidato.id_cliente
where
    candidato.linhas is null
    or candidato.linhas > 1
    or (compradores.id_cliente is null) <> (candidato.frequencia = 0)
