{{ config(materialized='view') }}

with

datas as (

    select * from {{ ref('feat_insiders_datas') }}

),

-- how well each rule finds the group, at its own date and at the next one
acertos as (

    select
        avaliada.dt_regra,
        avaliada.dt_ref,
        count(*) as clientes,
        sum(case when avaliada.is_regra then 1 else 0 end) as escolhidos,
        sum(case when membros.is_insider then 1 else 0 end) as membros,
        cast(sum(
            case when avaliada.is_regra and membros.is_insider then 1 else 0 end
        ) as {{ tipo_real() }}) as certos
    from {{ ref('ml_insiders_regra_avaliada') }} as avaliada
    inner join {{ ref('ml_insiders_membros') }} as membros
        on
            avaliada.dt_ref = membros.dt_ref
            and avaliada.id_cliente = membros.id_cliente
    group by 1, 2

),

atual as (

    select * from datas
    where ordem = 0

),

anterior as (

    select * from datas
    -- windows of different length put different meanings on the same limit
    where ordem = 1 and is_comparavel

),

entrada as (

    select
        atual.dt_ref,
        agora.clientes,
        agora.certos / nullif(agora.escolhidos, 0) as precisao_agora,
        agora.certos / nullif(agora.membros, 0) as revocacao_agora,
        seguinte.certos / nullif(seguinte.escolhidos, 0) as precisao_na_data_seguinte,
        seguinte.certos / nullif(seguinte.membros, 0) as revocacao_na_data_seguinte,
        'insiders' as grupo
    from atual
    left join acertos as agora
        on
            atual.dt_ref = agora.dt_regra
            and atual.dt_ref = agora.dt_ref
    left join anterior on true
    left join acertos as seguinte
        on
            anterior.dt_ref = seguinte.dt_regra
            and atual.dt_ref = seguinte.dt_ref

),

clientes as (

    select * from {{ ref('insiders_clientes') }}

),

comparaveis as (

    select count(*) as datas
    from datas
    where is_comparavel or ordem = 0

),

-- leaving takes so many dates without the rule, and one before with it
possiveis as (

    {% for situacao, datas in [
        ('entra', 2),
        ('permanece', 2),
        ('em_observacao', 2),
        ('sai', 1 + var('insiders_saida_datas')),
    ] -%}
    select
        '{{ situacao }}' as grupo,
        datas >= {{ datas }} as is_possivel
    from comparaveis
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

situacoes as (

    select
        atual.dt_ref,
        possiveis.grupo,
        case when possiveis.is_possivel then count(clientes.id_cliente) end
            as clientes,
        case when possiveis.is_possivel then coalesce(sum(clientes.valor), 0) end
            as receita
    from possiveis
    cross join atual
    left join clientes on possiveis.grupo = clientes.situacao
    group by 1, 2, possiveis.is_possivel

),

-- what the exit rule and the hold-out are set to, beside what they found
parametros as (

    select
        dt_ref,
        'insiders' as grupo,
        sum(case when is_insider then 1 else 0 end) as clientes,
        {{ var('insiders_saida_datas') }} as datas_para_sair,
        sum(case when is_insider and is_controle then 1 else 0 end)
            as clientes_em_controle
    from clientes
    group by 1

),

quase as (

    select
        dt_ref,
        condicao_proxima as grupo,
        count(*) as clientes,
        sum(valor) as receita,
        {{ mediana('falta') }} as falta_mediana
    from clientes
    where
        condicoes_em_falta = 1
        and not is_insider
        and falta <= {{ var('insiders_quase_maximo') }} * abs(limite)
    group by 1, 2

),

final as (

    {% for medida in [
        'precisao_agora',
        'revocacao_agora',
        'precisao_na_data_seguinte',
        'revocacao_na_data_seguinte',
    ] -%}
    {{ item_do_relatorio(
        6, loop.index, medida, 'fracao', 'ml_insiders_regra_avaliada', 'entrada'
    ) }}
    union all
    {% endfor -%}
    {{ item_do_relatorio(
        7, 1, 'clientes', 'clientes', 'insiders_clientes', 'situacoes'
    ) }}
    union all
    {{ item_do_relatorio(
        7, 2, 'receita', 'moeda', 'insiders_clientes', 'situacoes'
    ) }}
    union all
    {{ item_do_relatorio(
        7, 0, 'datas_para_sair', 'datas', 'insiders_clientes', 'parametros'
    ) }}
    union all
    {{ item_do_relatorio(
        8, 2, 'clientes_em_controle', 'clientes', 'insiders_clientes', 'parametros'
    ) }}
    union all
    {{ item_do_relatorio(9, 1, 'clientes', 'clientes', 'insiders_clientes', 'quase') }}
    union all
    {{ item_do_relatorio(9, 2, 'receita', 'moeda', 'insiders_clientes', 'quase') }}
    union all
    {{ item_do_relatorio(
        9, 3, 'falta_mediana', 'da_condicao', 'insiders_clientes', 'quase'
    ) }}

)

select * from final
