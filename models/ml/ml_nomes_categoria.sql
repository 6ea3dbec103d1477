{{ config(materialized='view') }}

with

perfis as (

    select * from {{ ref('ml_perfis_categoria') }}

),

-- a name holds the leaders, two at most
lideres as (

    select
        k,
        cluster,
        max(indice) as forca,
        max(clientes) as clientes,
        least(sum(case when is_lider then 1 else 0 end), 2) as n_lideres
    from perfis
    group by 1, 2

),

primeiros_nomes as (

    {{ nomes_de_categoria('lideres', 'lideres.n_lideres') }}

),

-- of two clusters with one name the weaker adds its next category, a third
-- adds two
desempatados as (

    select
        k,
        cluster,
        forca,
        clientes,
        n_lideres,
        n_lideres - 1 + row_number() over (
            partition by nome order by forca desc, clientes desc, cluster
        ) as n_nomes
    from primeiros_nomes

),

segundos_nomes as (

    {{ nomes_de_categoria('desempatados', 'desempatados.n_nomes') }}

)

select * from segundos_nomes
