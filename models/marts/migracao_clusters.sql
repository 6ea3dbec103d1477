{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='dt_ref',
    on_schema_change='append_new_columns',
    full_refresh=false
) }}

with

clientes as (

    select * from {{ ref('migracao_clusters__clientes') }}

),

contadas as (

    select
        dt_ref,
        causa,
        dt_ref_anterior,
        de_cluster,
        de_segmento_id,
        de_segmento_rfv_id,
        de_segmento_categoria_id,
        para_cluster,
        para_segmento_id,
        para_segmento_rfv_id,
        para_segmento_categoria_id,
        count(*) as clientes,
        sum(valor_anterior) as receita_anterior,
        sum(valor) as receita
    from clientes
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11

),

versoes as (

    select
        max(modelo_rfv_id) as modelo_rfv_id,
        max(modelo_categoria_id) as modelo_categoria_id
    from clientes

),

final as (

    select
        contadas.dt_ref,
        contadas.causa,
        contadas.dt_ref_anterior,
        contadas.de_cluster,
        contadas.para_cluster,
        contadas.de_segmento_id,
        contadas.para_segmento_id,
        contadas.de_segmento_rfv_id,
        contadas.para_segmento_rfv_id,
        contadas.de_segmento_categoria_id,
        contadas.para_segmento_categoria_id,
        contadas.de_cluster <> contadas.para_cluster as is_nome_mudou,
        contadas.de_segmento_id <> contadas.para_segmento_id as is_segmento_mudou,
        cast(contadas.clientes as {{ dbt.type_bigint() }}) as clientes,
        contadas.clientes / cast(sum(contadas.clientes) over (
            partition by contadas.causa, contadas.de_cluster
        ) as {{ tipo_real() }}) as participacao,
        cast(contadas.receita_anterior as decimal(18, 2)) as receita_anterior,
        cast(contadas.receita as decimal(18, 2)) as receita,
        versoes.modelo_rfv_id,
        versoes.modelo_categoria_id,
        '{{ invocation_id }}' as run_id,
        {{ momento_da_execucao() }} as calculado_em
    from contadas
    cross join versoes

)

select * from final
