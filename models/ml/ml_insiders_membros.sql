with

comportamento as (

    select * from {{ ref('feat_comportamento') }}

),

grupos as (

    select * from {{ ref('ml_insiders_grupos') }}

),

rotulos as (

    select * from {{ ref('ml_insiders_rotulos') }}

),

membros as (

    select
        comportamento.*,
        rotulos.grupo,
        rotulos.grupo_id,
        rotulos.nome as grupo_nome,
        rotulos.is_insiders as is_insider,
        sum(case when rotulos.is_insiders then 1 else 0 end) over (
            partition by comportamento.dt_ref
        ) as n_insiders,
        -- the plain list by value, and a draw by lot, of the same size
        row_number() over (
            partition by comportamento.dt_ref
            order by
                comportamento.valor desc,
                comportamento.frequencia desc,
                comportamento.id_cliente
        ) as lugar_por_valor,
        row_number() over (
            partition by comportamento.dt_ref
            order by
                {{ placebo("comportamento.id_cliente") }},
                comportamento.id_cliente
        ) as lugar_por_sorte
    from comportamento
    inner join grupos
        on
            comportamento.dt_ref = grupos.dt_ref
            and comportamento.id_cliente = grupos.id_cliente
    inner join rotulos
        on
            grupos.dt_ref = rotulos.dt_ref
            and grupos.grupo = rotulos.grupo

),

final as (

    select
        *,
        lugar_por_valor <= n_insiders as is_base_valor,
        lugar_por_sorte <= n_insiders as is_placebo
    from membros

)

select * from final
