-- A profile built from an inner join on the action seed lost the segments
-- that had no action. Customers, revenue and shares of all segments add up to
-- the mart.

with

perfil as (

    select
        sum(clientes) as clientes,
        sum(receita) as receita,
        sum(participacao_clientes) as participacao_clientes,
        sum(participacao_receita) as participacao_receita
    from {{ ref('perfil_clusters') }}

),

mart as (

    select
        count(*) as clientes,
        sum(valor) as receita
    from {{ ref('cluster_clientes') }}

)

select *
from perfil
cross join mart
where
    perfil.clientes <> mart.clientes
    or perfil.receita <> mart.receita
    or abs(perfil.participacao_clientes - 1) > 1e-9
    or abs(perfil.participacao_receita - 1) > 1e-9
