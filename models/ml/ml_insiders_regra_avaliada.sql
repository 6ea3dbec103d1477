with

clientes as (

    select * from {{ ref('ml_insiders_membros') }}

),

datas as (

    select * from {{ ref('feat_insiders_datas') }}

),

regras as (

    select * from {{ ref('ml_insiders_regra') }}

),

-- every rule at its own date and at the next one, today's at every date
pares as (

    select
        das_regras.dt_ref as dt_regra,
        dos_clientes.dt_ref
    from datas as das_regras
    inner join datas as dos_clientes
        on
            das_regras.dt_ref = dos_clientes.dt_ref
            or das_regras.dt_ref_seguinte = dos_clientes.dt_ref
            or das_regras.ordem = 0

),

condicoes as (

    select
        pares.dt_regra,
        clientes.dt_ref,
        clientes.id_cliente,
        regras.ramo,
        regras.variavel,
        regras.operador,
        regras.limite,
        {{ valor_da_condicao('clientes', 'regras') }} as valor_do_cliente
    from pares
    inner join clientes on pares.dt_ref = clientes.dt_ref
    inner join regras on pares.dt_regra = regras.dt_ref

),

medidas as (

    select
        *,
        greatest(
            case operador
                when '>=' then limite - valor_do_cliente
                else valor_do_cliente - limite
            end,
            0
        ) as falta
    from condicoes

),

ramos as (

    select
        *,
        sum(case when falta > 0 then 1 else 0 end) over (
            partition by dt_regra, dt_ref, id_cliente, ramo
        ) as em_falta,
        sum(falta / greatest(abs(limite), 1e-9)) over (
            partition by dt_regra, dt_ref, id_cliente, ramo
        ) as falta_do_ramo
    from medidas

),

-- of the branch that is nearest, the condition that is nearest
ordenadas as (

    select
        *,
        row_number() over (
            partition by dt_regra, dt_ref, id_cliente
            order by
                em_falta,
                falta_do_ramo,
                ramo,
                falta > 0 desc,
                falta / greatest(abs(limite), 1e-9),
                variavel
        ) as lugar
    from ramos

),

final as (

    select
        dt_regra,
        dt_ref,
        id_cliente,
        em_falta = 0 as is_regra,
        em_falta as condicoes_em_falta,
        case when em_falta > 0 then variavel end as condicao_proxima,
        case when em_falta > 0 then operador end as operador,
        case when em_falta > 0 then limite end as limite,
        case when em_falta > 0 then falta end as falta
    from ordenadas
    where lugar = 1

)

select * from final
