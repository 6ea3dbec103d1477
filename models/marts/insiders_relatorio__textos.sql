{{ config(materialized='view') }}

with

medidas as (

    select * from {{ ref('insiders_relatorio__regra') }}

),

regra as (

    select
        dt_ref,
        max(regra_frase) as regra_frase,
        max(regra_sql) as regra_sql
    from {{ ref('ml_insiders_regra') }}
    group by 1

),

perfil as (

    select * from {{ ref('insiders_perfil') }}

),

final as (

    -- the lower of precision and recall decides
    select
        dt_ref,
        pergunta,
        1 as ordem,
        'exprimivel' as medida,
        grupo,
        min(coalesce(valor, 0)) as valor,
        cast(null as {{ tipo_real() }}) as inferior,
        cast(null as {{ tipo_real() }}) as superior,
        max(n) as n,
        'fracao' as unidade,
        case
            when min(coalesce(valor, 0)) >= {{ var('insiders_regra_minima') }}
                then 'exprimivel por regra curta'
            else 'nao exprimivel por regra curta'
        end as texto,
        'menor entre precisao e revocacao, minimo {{ var("insiders_regra_minima") }}'
            as metodo,
        max(tabela) as tabela
    from medidas
    where medida in ('precisao_agora', 'revocacao_agora')
    group by 1, 2, 5

    union all

    {% for coluna in ['regra_frase', 'regra_sql'] -%}
    select
        referencias.dt_ref,
        6 as pergunta,
        0 as ordem,
        '{{ coluna }}' as medida,
        'insiders' as grupo,
        null as valor,
        null as inferior,
        null as superior,
        null as n,
        'texto' as unidade,
        coalesce(regra.{{ coluna }}, 'nenhuma regra curta distingue o grupo') as texto,
        'arvore de decisao de profundidade ate {{ var("insiders_regra_profundidade") }}'
            as metodo,
        'ml_insiders_regra' as tabela
    from {{ ref('feat_referencias') }} as referencias
    left join regra on referencias.dt_ref = regra.dt_ref
    where referencias.papel = 'atual'

    union all

    {% endfor -%}
    select
        dt_ref,
        9 as pergunta,
        4 as ordem,
        'acao_sugerida' as medida,
        grupo_id as grupo,
        receita as valor,
        null as inferior,
        null as superior,
        clientes as n,
        'moeda' as unidade,
        acao_sugerida as texto,
        'pelo perfil do grupo, da tabela rotulos_insiders' as metodo,
        'insiders_perfil' as tabela
    from perfil

)

select * from final
