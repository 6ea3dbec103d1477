{{ config(materialized='view') }}

with

vendas as (

    select * from {{ ref('feat_vendas_dia') }}

),

-- spellings that differ in case or accents are one category
grafias as (

    select distinct
        categoria_produto,
        coalesce(categoria_produto, 'Sem categoria') as categoria,
        coalesce({{ slug('categoria_produto') }}, 'sem_categoria') as categoria_id
    from vendas

)

select * from grafias
