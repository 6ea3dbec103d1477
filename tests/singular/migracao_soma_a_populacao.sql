-- A matrix of an inner join loses whoever fell asleep between the dates, and
-- then says that nobody does. Whoever was there at the first date is in one
-- row before, whoever is there now in one row after.

with

referencias as (

    select * from {{ ref('feat_referencias') }}

),

populacao as (

    select
        count(case when referencias.papel = 'anterior' then 1 end) as antes,
        count(case when referencias.papel = 'atual' then 1 end) as depois
    from {{ ref('feat_rfv') }} as clientes
    inner join referencias on clientes.dt_ref = referencias.dt_ref

),

matriz as (

    select
        sum(case when migracao.de_segmento_id <> 'novo' then migracao.clientes end)
            as antes,
        sum(migracao.clientes) as depois
    from {{ ref('migracao_clusters') }} as migracao
    inner join referencias
        on migracao.dt_ref = referencias.dt_ref and referencias.papel = 'atual'
    where migracao.causa = 'clientes'
    having count(*) > 0

)

select *
from populacao
cross join matriz
where
    populacao.antes <> coalesce(matriz.antes, 0)
    or populacao.depois <> matriz.depois
