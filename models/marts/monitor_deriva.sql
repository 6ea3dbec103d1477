{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='dt_ref',
    on_schema_change='append_new_columns',
    full_refresh=false
) }}

with

medidas as (

    select * from {{ ref('monitor_deriva__medidas') }}

),

limites as (

    {% for indicador, medida in [
        ('psi_variavel', 'psi'), ('psi_segmentos', 'psi'), ('centro', 'centro'),
        ('silhueta', 'silhueta'), ('distancia', 'distancia'),
    ] -%}
    select
        '{{ indicador }}' as indicador,
        {{ var('deriva_limites')[medida][0] }} as limite_observar,
        {{ var('deriva_limites')[medida][1] }} as limite_retreinar
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

julgadas as (

    select
        medidas.*,
        limites.limite_observar,
        limites.limite_retreinar,
        case
            when medidas.indicador = 'segmento' and medidas.clientes = 0
                then 'retreinar'
            -- a PSI is judged by what it has above chance
            when medidas.indicador like 'psi%'
                then {{ veredito(
                    'medidas.valor - medidas.valor_esperado',
                    'limites.limite_observar', 'limites.limite_retreinar'
                ) }}
            else {{ veredito(
                'medidas.valor', 'limites.limite_observar', 'limites.limite_retreinar'
            ) }}
        end as veredito
    from medidas
    left join limites on medidas.indicador = limites.indicador

),

-- one word for the step: the worst of its measures
gerais as (

    select
        passo,
        'geral' as indicador,
        'todos' as item,
        cast(null as {{ tipo_real() }}) as base,
        cast(null as {{ tipo_real() }}) as atual,
        cast(count(case when veredito <> 'estavel' then 1 end) as {{ tipo_real() }})
            as valor,
        cast(null as {{ tipo_real() }}) as valor_esperado,
        max(clientes_base) as clientes_base,
        max(clientes) as clientes,
        cast(null as {{ tipo_real() }}) as limite_observar,
        cast(null as {{ tipo_real() }}) as limite_retreinar,
        case
            when count(case when veredito = 'retreinar' then 1 end) > 0
                then 'retreinar'
            when count(case when veredito = 'observar' then 1 end) > 0
                then 'observar'
            else 'estavel'
        end as veredito
    from julgadas
    group by 1

),

todas as (

    select * from julgadas
    union all
    select * from gerais

),

final as (

    select
        referencias.dt_ref,
        todas.passo,
        todas.indicador,
        todas.item,
        round(cast(todas.base as {{ tipo_real() }}), 6) as base,
        round(cast(todas.atual as {{ tipo_real() }}), 6) as atual,
        round(cast(todas.valor as {{ tipo_real() }}), 6) as valor,
        round(cast(todas.valor_esperado as {{ tipo_real() }}), 6) as valor_esperado,
        cast(todas.limite_observar as {{ tipo_real() }}) as limite_observar,
        cast(todas.limite_retreinar as {{ tipo_real() }}) as limite_retreinar,
        cast(todas.clientes_base as {{ dbt.type_bigint() }}) as clientes_base,
        cast(todas.clientes as {{ dbt.type_bigint() }}) as clientes,
        todas.veredito,
        versoes.dt_ref_treino,
        versoes.modelo_id,
        '{{ invocation_id }}' as run_id,
        {{ momento_da_execucao() }} as calculado_em
    from todas
    cross join {{ ref('feat_referencias') }} as referencias
    inner join {{ ref('ml_versoes') }} as versoes
        on todas.passo = versoes.passo and versoes.is_em_vigor
    where referencias.papel = 'atual'

)

select * from final
