{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false
) }}

with

atribuicoes as (

    select * from {{ ref('ml_atribuicoes_treino') }}
    {% if is_incremental() -%}
    where modelo_id not in (select modelo_id from {{ this }})
    {%- endif %}

),

valores as (

    select * from {{ ref('ml_valores_treino') }}
    {% if is_incremental() -%}
    where modelo_id not in (select modelo_id from {{ this }})
    {%- endif %}

),

decis as (

    {% for i in range(1, limites_max() + 1) -%}
    select
        passo,
        variavel,
        {{ quantil('valor', i / 10) }} as limite,
        max(valor) as maximo
    from valores
    group by 1, 2
    {% if not loop.last %}union{% endif %}
    {% endfor %}

),

-- equal deciles, as of many customers with one order, are one limit
limites as (

    select
        passo,
        variavel,
        limite,
        row_number() over (partition by passo, variavel order by limite) - 1 as faixa
    from decis
    where limite < maximo

),

contagens as (

    {{ conta_faixas('valores', 'limites') }}

),

medidas as (

    select
        contagens.passo,
        'faixa' as medida,
        contagens.variavel as item,
        contagens.faixa,
        limites.limite as valor,
        contagens.clientes
    from contagens
    left join limites
        on
            contagens.passo = limites.passo
            and contagens.variavel = limites.variavel
            and contagens.faixa = limites.faixa

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

versoes as (

    select
        passo,
        max(modelo_id) as modelo_id
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
    inner join versoes on medidas.passo = versoes.passo

)

select * from final
