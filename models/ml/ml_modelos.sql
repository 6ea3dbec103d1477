{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='modelo_id',
    on_schema_change='append_new_columns',
    full_refresh=false
) }}

with

ajuste as (

    select * from {{ ref('ml_ajuste') }}

),

{% if is_incremental() -%}
registradas as (

    select * from {{ this }}

),

-- the same data, fitted with other random draws, are no new model: of versions
-- with the same names and equal silhouettes the one we have stays in force
equivalentes as (

    select
        registradas.passo,
        registradas.modelo_id,
        row_number() over (
            partition by registradas.passo
            order by max(registradas.treinado_em) desc, registradas.modelo_id
        ) as lugar
    from registradas
    inner join ajuste
        on
            registradas.digest = ajuste.digest
            {% for coluna in ['passo', 'k', 'rotulo', 'variavel',
                'segmento_id', 'transformacao', 'deslocamento', 'escala'] -%}
            and registradas.{{ coluna }} = ajuste.{{ coluna }}
            {% endfor -%}
    where ajuste.silhueta <= registradas.silhueta + {{ var('tolerancia_silhueta') }}
    group by 1, 2
    having
        -- all of the one and all of the other: a fit that lost a name is part
        -- of a whole version
        count(*) = (
            select count(*)
            from ajuste as inteiro
            where inteiro.passo = registradas.passo
        )
        and count(*) = (
            select count(*)
            from registradas as inteira
            where inteira.modelo_id = registradas.modelo_id
        )

),
{%- endif %}

escolhidas as (

    {% if is_incremental() -%}
    select {{ colunas_do_modelo('registradas') }}
    from registradas
    inner join equivalentes
        on
            registradas.modelo_id = equivalentes.modelo_id
            and equivalentes.lugar = 1
    union all
    {% endif -%}
    select {{ colunas_do_modelo('ajuste') }}
    from ajuste
    {%- if is_incremental() %}
    where passo not in (select passo from equivalentes)
    {%- endif %}

),

final as (

    select
        *,
        '{{ parametros_do_ajuste() }}' as parametros,
        '{{ invocation_id }}' as run_id,
        {{ momento_da_execucao() }} as treinado_em
    from escolhidas

)

select * from final
