with

medidas as (

    select * from {{ ref('insiders_relatorio__grupo') }}
    union all
    select * from {{ ref('insiders_relatorio__regra') }}

),

evidencias as (

    select * from {{ ref('ml_insiders_evidencias') }}

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

itens as (

    select
        dt_ref,
        pergunta,
        ordem,
        medida,
        grupo,
        valor,
        cast(null as {{ tipo_real() }}) as inferior,
        cast(null as {{ tipo_real() }}) as superior,
        n,
        unidade,
        cast(null as {{ dbt.type_string() }}) as texto,
        'calculado em SQL sobre todos os clientes da janela' as metodo,
        tabela
    from medidas

    union all

    select
        dt_ref,
        pergunta,
        1 as ordem,
        medida,
        grupo,
        valor,
        inferior,
        superior,
        n,
        {{ unidade_da_evidencia('medida') }} as unidade,
        null as texto,
        metodo,
        'ml_insiders_evidencias' as tabela
    from evidencias

    union all

    -- the lower of precision and recall decides
    select
        dt_ref,
        pergunta,
        1 as ordem,
        'exprimivel' as medida,
        grupo,
        min(coalesce(valor, 0)) as valor,
        null as inferior,
        null as superior,
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

),

final as (

    select
        dt_ref,
        cast(pergunta as {{ dbt.type_int() }}) as pergunta,
        cast(row_number() over (
            partition by pergunta
            order by ordem, dt_ref desc, medida, grupo
        ) as {{ dbt.type_int() }}) as item,
        medida,
        grupo,
        valor,
        inferior,
        superior,
        cast(n as {{ dbt.type_bigint() }}) as n,
        unidade,
        texto,
        case
            when valor is null and texto is null then 'historico insuficiente'
            else 'respondida'
        end as situacao,
        metodo,
        tabela,
        '{{ invocation_id }}' as run_id,
        {{ momento_da_execucao() }} as calculado_em
    from itens

)

select * from final
order by pergunta, item
