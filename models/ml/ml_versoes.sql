{{ config(materialized='view') }}

{%- set com_identidade = relacao_do_modelo('ml_segmentos') if execute %}

with

modelos as (

    select * from {{ ref('ml_modelos') }}
    where cluster = 0 and posicao = 0

),

referencias as (

    select * from {{ ref('feat_referencias') }}
    where papel = 'atual'

),

versoes as (

    select
        modelos.passo,
        modelos.modelo_id,
        modelos.dt_ref_treino,
        modelos.treinado_em,
        modelos.parametros,
        modelos.dt_ref_treino <= referencias.dt_ref as is_passado,
        -- not a ref: ml_segmentos is written by means of this view. A version
        -- that a killed build left without identities never scores
        {% if com_identidade -%}
        modelos.modelo_id in (select modelo_id from {{ com_identidade }})
        {%- else -%}
        true
        {%- endif %} as is_com_identidade,
        abs({{ dbt.datediff('modelos.dt_ref_treino', 'referencias.dt_ref', 'day') }})
            as distancia_dias
    from modelos
    cross join referencias

),

ordenadas as (

    select
        *,
        -- nearest first, the past before the future, the last fit of a day
        row_number() over (
            partition by passo
            order by is_passado desc, distancia_dias, treinado_em desc, modelo_id
        ) = 1 as is_nova,
        -- one training run writes the versions of both steps, so a step that
        -- the last run could not fit is no longer in force
        rank() over (
            partition by is_com_identidade
            order by is_passado desc, distancia_dias, treinado_em desc
        ) as lugar_da_rodada
    from versoes

),

em_vigor as (

    select
        *,
        is_com_identidade and case
            {% for passo in ['rfv', 'categoria'] if versao_fixada(passo) -%}
            when passo = '{{ passo }}' then modelo_id = '{{ versao_fixada(passo) }}'
            {% endfor -%}
            when is_passado then lugar_da_rodada = 1
            else false
        end as is_em_vigor
    from ordenadas

),

final as (

    select
        passo,
        modelo_id,
        dt_ref_treino,
        treinado_em,
        parametros,
        is_com_identidade,
        is_nova,
        is_em_vigor,
        -- the version whose segments the new one continues
        is_com_identidade and not is_nova and row_number() over (
            partition by passo, is_com_identidade and not is_nova
            order by
                is_em_vigor desc,
                is_passado desc,
                distancia_dias,
                treinado_em desc,
                modelo_id
        ) = 1 as is_anterior
    from em_vigor

)

select * from final
