-- A join on the calendar would drop the lines of a day that it does not know,
-- and every feature would be a little too small. All lines that were kept are
-- in some period of some customer.

with

dias as (

    select
        sum(linhas) as linhas,
        sum(case when tipo = 'compra' then valor else 0 end) as valor
    from {{ ref('feat_vendas_dia') }}

),

periodos as (

    select
        sum(
            linhas_compra + linhas_devolucao + linhas_brinde + linhas_sem_quantidade
        ) as linhas,
        sum(valor_bruto) as valor
    from {{ ref('feat_cliente_periodo') }}

)

select *
from dias
cross join periodos
where
    dias.linhas <> periodos.linhas
    or dias.valor <> periodos.valor
