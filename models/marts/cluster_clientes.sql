-- The candidate's tests stand between it and this table: when one is red,
-- this model is skipped and the mart of the run before stays.

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
    recencia_dias,
    frequencia,
    valor,
    ticket_medio,
    distancia,
    margem,
    modelo_rfv_id,
    modelo_categoria_id,
    run_id,
    calculado_em
from {{ ref('cluster_clientes__candidato') }}
