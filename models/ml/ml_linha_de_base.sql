{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false
) }}

with

atribuicoes as (

    select * from {{ ref('ml_atribuicoes_treino') }}

),

medidas as (

    select
        passo,
        'faixa' as medida,
        variavel as item,
        faixa,
        limite as valor,
        clientes
    from {{ ref('ml_faixas_treino') }}

    union all

    -- how far from its centre a customer could be at most, 1 % aside
    select
        passo,
        'distancia' as medida,
        'cluster' as item,
        cluster as faixa,
        {{ quantil('distancia', 0.99) }} as valor,
        count(*) as clientes
    from atribuicoes
    group by 1, 4

    union all

    select
        passo,
        'silhueta' as medida,
        'todos' as item,
        0 as faixa,
        round({{ silhueta_simplificada() }}, 6) as valor,
        count(*) as clientes
    from atribuicoes
    group by 1

),

final as (

    select
        versoes.modelo_id,
        medidas.passo,
        medidas.medida,
        medidas.item,
        cast(medidas.faixa as {{ dbt.type_int() }}) as faixa,
        cast(medidas.valor as {{ tipo_real() }}) as valor,
        cast(medidas.clientes as {{ dbt.type_bigint() }}) as clientes,
        '{{ invocation_id }}' as run_id,
        {{ momento_da_execucao() }} as registrado_em
    from medidas
    inner join {{ ref('ml_versoes') }} as versoes
        on medidas.passo = versoes.passo and versoes.is_nova
    {% if is_incremental() -%}
    -- a fit that was made before keeps what it was then
    where versoes.modelo_id not in (select modelo_id from {{ this }})
    {%- endif %}

)

select * from final
