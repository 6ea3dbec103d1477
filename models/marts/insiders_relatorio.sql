with

medidas as (

    select * from {{ ref('insiders_relatorio__grupo') }}
    union all
    select * from {{ ref('insiders_relatorio__regra') }}
    union all
    select * from {{ ref('insiders_relatorio__saida') }}

),

evidencias as (

    select * from {{ ref('ml_insiders_evidencias') }}

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

    select * from {{ ref('insiders_relatorio__textos') }}

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
