{{ config(materialized='view') }}

with

rotulados as (

    select
        rotulados.*,
        referencias.papel
    from {{ ref('cluster_clientes__rotulados') }} as rotulados
    inner join {{ ref('feat_referencias') }} as referencias
        on rotulados.dt_ref = referencias.dt_ref

),

atual as (

    select * from rotulados
    where papel = 'atual'

),

anterior as (

    select * from rotulados
    where papel = 'anterior'

),

periodo as (

    select max(dt_ref) as dt_ref_anterior from anterior

),

final as (

    {%- for causa, antes, dt_ref_anterior in [
        ('clientes', 'anterior', 'periodo.dt_ref_anterior'),
        ('modelo', ref('migracao_clusters__modelo'), 'antes.dt_ref_anterior'),
    ] %}
    select
        atual.dt_ref,
        '{{ causa }}' as causa,
        {{ dt_ref_anterior }} as dt_ref_anterior,
        -- no purchase before the first date
        coalesce(antes.cluster, 'Novo') as de_cluster,
        coalesce(antes.segmento_id, 'novo') as de_segmento_id,
        coalesce(antes.segmento_rfv_id, 'novo') as de_segmento_rfv_id,
        antes.segmento_categoria_id as de_segmento_categoria_id,
        coalesce(antes.valor, 0) as valor_anterior,
        atual.cluster as para_cluster,
        atual.segmento_id as para_segmento_id,
        atual.segmento_rfv_id as para_segmento_rfv_id,
        atual.segmento_categoria_id as para_segmento_categoria_id,
        atual.valor,
        atual.modelo_rfv_id,
        atual.modelo_categoria_id
    from atual
    cross join periodo
    {{ 'left' if causa == 'clientes' else 'inner' }} join {{ antes }} as antes
        on atual.id_cliente = antes.id_cliente
    {%- if causa == 'clientes' %}
    where periodo.dt_ref_anterior is not null
    union all
    {%- endif %}
    {%- endfor %}

)

select * from final
