with

vendas as (

    select * from {{ ref('feat_vendas_dia') }}
    where tipo = 'compra'

),

historia as (

    select
        min(data_venda) as primeira_venda,
        {% if var('dt_ref') -%}
        cast('{{ var("dt_ref") }}' as date) as dt_ref_atual
        {%- else -%}
        cast({{ dbt.dateadd('day', 1, 'max(data_venda)') }} as date) as dt_ref_atual
        {%- endif %}
    from vendas

),

-- each window begins where the one before it ends, so that they neither
-- overlap nor leave a day out, also at the end of a short month
candidatas as (

    {% for ordem in range(2 + var('retrotestes_max')) -%}
    select
        {{ ordem }} as ordem,
        primeira_venda,
        {{ janelas_antes('dt_ref_atual', ordem) }} as dt_ref,
        {{ janelas_antes('dt_ref_atual', ordem + 1) }} as inicio_janela
    from historia
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

final as (

    select
        dt_ref,
        case ordem
            when 0 then 'atual'
            when 1 then 'anterior'
            else 'retroteste'
        end as papel,
        ordem,
        inicio_janela
    from candidatas
    -- an earlier date whose window history does not fill would compare a
    -- short window with a full one
    where ordem = 0 or inicio_janela >= primeira_venda

)

select * from final
