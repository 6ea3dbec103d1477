{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='dt_ref',
    on_schema_change='append_new_columns',
    full_refresh=false
) }}

-- From the tested candidate, so that a back-fill writes the past without
-- publishing it. A daily build records a date once it is published:
-- depends_on: {{ ref('cluster_clientes') }}

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
