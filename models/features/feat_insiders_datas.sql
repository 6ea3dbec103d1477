with

referencias as (

    select * from {{ ref('feat_referencias') }}

),

historia as (

    select min(data_venda) as primeira_venda
    from {{ ref('stg_vendas') }}
    where is_compra

),

com_inicio as (

    select
        referencias.dt_ref,
        referencias.papel,
        referencias.ordem,
        historia.primeira_venda,
        -- the outcome of a past date is known up to the next one
        lead(referencias.dt_ref) over (
            order by referencias.dt_ref
        ) as dt_ref_seguinte,
        {% if var('insiders_janela_meses') -%}
        {{ menos_meses('referencias.dt_ref', var('insiders_janela_meses')) }}
        {%- else -%}
        historia.primeira_venda
        {%- endif %} as inicio_janela
    from referencias
    cross join historia

),

final as (

    select
        dt_ref,
        papel,
        ordem,
        dt_ref_seguinte,
        inicio_janela,
        -- over all history every date has a window of its own length, and a
        -- threshold in money means something else at each of them
        {% if var('insiders_janela_meses') -%}
        inicio_janela >= primeira_venda
        {%- else -%}
        ordem = 0
        {%- endif %} as is_comparavel,
        {{ dbt.datediff(
            'greatest(inicio_janela, primeira_venda)', 'dt_ref', 'day'
        ) }} as dias_observados
    from com_inicio

)

select * from final
