{{ config(enabled=var('insiders_ativo'), tags=['treino', 'insiders']) }}

-- A published solution of this exercise multiplied its group's mean by another
-- group's size. Customers times mean is the total, shares of all groups sum to
-- 1, and a number that stands in several tables is the same in all of them.

with

clientes as (

    select
        grupo_id,
        count(*) as clientes,
        sum(valor) as receita,
        sum(case when is_insider then 1 else 0 end) as insiders,
        sum(case when is_mais_valioso then 1 else 0 end) as mais_valiosos
    from {{ ref('insiders_clientes') }}
    group by 1

),

perfil as (

    select * from {{ ref('insiders_perfil') }}

),

por_grupo as (

    select
        coalesce(clientes.grupo_id, perfil.grupo_id) as onde,
        perfil.clientes = clientes.clientes
        and abs(perfil.receita - clientes.receita) < 0.01 * perfil.clientes
        and abs(perfil.clientes * perfil.receita_media - perfil.receita) < 0.01
        and perfil.is_insiders = (clientes.insiders = clientes.clientes)
        and clientes.insiders in (0, clientes.clientes) as is_certo
    from perfil
    full join clientes on perfil.grupo_id = clientes.grupo_id
    where clientes.grupo_id is null or clientes.grupo_id <> 'sem_compra'

),

no_todo as (

    select
        'todos os grupos' as onde,
        abs(sum(participacao_clientes) - 1) < 1e-9
        and abs(sum(participacao_receita) - 1) < 1e-9
        and sum(case when is_insiders then 1 else 0 end) = 1 as is_certo
    from perfil

),

no_relatorio as (

    select
        'relatorio, ' || relatorio.medida as onde,
        abs(relatorio.valor - case relatorio.medida
            when 'clientes' then perfil.clientes
            when 'receita' then perfil.receita
            when 'participacao_clientes' then perfil.participacao_clientes
            when 'participacao_receita' then perfil.participacao_receita
            when 'valor_medio' then perfil.receita_media
            when 'frequencia_media' then perfil.frequencia_media
            when 'ticket_medio' then perfil.ticket_medio
            when 'recencia_mediana' then perfil.recencia_mediana
        end) > 0.01 as is_outro
    from {{ ref('insiders_relatorio') }} as relatorio
    inner join perfil on perfil.is_insiders and relatorio.grupo = 'insiders'
    where relatorio.pergunta in (1, 2, 3, 4)

),

base as (

    select
        'lista dos mais valiosos' as onde,
        sum(mais_valiosos) = sum(insiders) as is_certo
    from clientes

)

select onde from por_grupo
where is_certo is distinct from true
union all
select onde from no_todo
where is_certo is distinct from true
union all
select onde from base
where is_certo is distinct from true
union all
select onde from no_relatorio
where is_outro
