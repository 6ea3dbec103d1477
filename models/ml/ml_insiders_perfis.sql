with

grupos as (

    select * from {{ ref('ml_insiders_grupos') }}

),

comportamento as (

    select * from {{ ref('feat_comportamento') }}

),

datas as (

    select * from {{ ref('feat_insiders_datas') }}

),

clientes as (

    select
        comportamento.*,
        grupos.grupo
    from comportamento
    inner join grupos
        on
            comportamento.dt_ref = grupos.dt_ref
            and comportamento.id_cliente = grupos.id_cliente

),

base as (

    select
        dt_ref,
        count(*) as clientes_base,
        {{ mediana('recencia_dias') }} as recencia_base,
        percentile_cont(0.75) within group (order by recencia_dias)
            as recencia_tardia,
        {{ mediana('frequencia') }} as frequencia_base,
        {{ mediana('valor') }} as valor_base
    from clientes
    group by 1

),

por_grupo as (

    select
        dt_ref,
        grupo,
        count(*) as clientes,
        sum(valor) as receita,
        avg(valor) as valor_medio,
        {{ mediana('recencia_dias') }} as recencia_mediana,
        {{ mediana('frequencia') }} as frequencia_mediana,
        {{ mediana('valor') }} as valor_mediano,
        {{ mediana('idade_base_dias') }} as idade_mediana
    from clientes
    group by 1, 2

),

final as (

    select
        por_grupo.*,
        base.clientes_base,
        base.recencia_base,
        base.recencia_tardia,
        base.frequencia_base,
        base.valor_base,
        datas.dias_observados,
        por_grupo.grupo > 0
        and por_grupo.clientes
        >= {{ var('insiders_participacao_minima') }} * base.clientes_base
            as is_de_tamanho
    from por_grupo
    inner join base on por_grupo.dt_ref = base.dt_ref
    inner join datas on por_grupo.dt_ref = datas.dt_ref

)

select * from final
