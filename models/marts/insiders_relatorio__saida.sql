{{ config(materialized='view') }}

with

datas as (

    select * from {{ ref('feat_insiders_datas') }}

),

clientes as (

    select * from {{ ref('insiders_clientes') }}

),

atual as (

    select * from datas
    where ordem = 0

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

    {% for pergunta, ordem, medida, unidade, de in [
        (7, 0, 'datas_para_sair', 'datas', 'parametros'),
        (7, 1, 'clientes', 'clientes', 'situacoes'),
        (7, 2, 'receita', 'moeda', 'situacoes'),
        (8, 2, 'clientes_em_controle', 'clientes', 'parametros'),
        (9, 1, 'clientes', 'clientes', 'quase'),
        (9, 2, 'receita', 'moeda', 'quase'),
        (9, 3, 'falta_mediana', 'da_condicao', 'quase'),
    ] -%}
    {{ item_do_relatorio(
        pergunta, ordem, medida, unidade, 'insiders_clientes', de
    ) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from final
