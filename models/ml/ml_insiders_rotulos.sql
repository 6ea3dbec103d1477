with

perfis as (

    select * from {{ ref('ml_insiders_perfis') }}

),

nomes as (

    select * from {{ origem('rotulos_insiders') }}

),

marcados as (

    select
        *,
        row_number() over (
            partition by dt_ref
            order by is_de_tamanho desc, valor_medio desc, grupo
        ) = 1 and grupo > 0 as is_insiders,
        recencia_mediana <= recencia_base as is_recente,
        recencia_mediana >= recencia_tardia as is_tardio,
        frequencia_mediana > frequencia_base as is_frequente,
        valor_mediano >= valor_base as is_alto,
        -- most of them came in the last quarter of what we have seen
        idade_mediana <= dias_observados / 4.0 as is_novo
    from perfis

),

com_papel as (

    select
        *,
        case
            when is_insiders then 'insiders'
            when grupo = 0 then 'sem_grupo'
            when is_tardio and (is_alto or is_frequente) then 'prestes_a_perder'
            when is_tardio then 'hibernando'
            when is_recente and is_novo then 'novos'
            when is_recente and is_alto and is_frequente then 'leais'
            when is_recente and is_alto then 'potenciais'
            when is_recente then 'promissores'
            when is_alto or is_frequente then 'acompanhar'
            else 'ocasionais'
        end as papel
    from marcados

),

com_repeticao as (

    select
        *,
        row_number() over (
            partition by dt_ref, papel
            order by valor_medio desc, grupo
        ) as repeticao
    from com_papel

),

final as (

    select
        com_repeticao.dt_ref,
        com_repeticao.grupo,
        com_repeticao.papel,
        com_repeticao.is_insiders,
        {{ com_numero('com_repeticao.papel', 'com_repeticao.repeticao', '_') }}
            as grupo_id,
        {{ com_numero('nomes.nome', 'com_repeticao.repeticao', ' ') }}
            as nome,
        nomes.descricao,
        nomes.acao_sugerida
    from com_repeticao
    inner join nomes on com_repeticao.papel = nomes.papel

)

select * from final
