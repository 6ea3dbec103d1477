{{ config(materialized='view') }}

with

datas as (

    select * from {{ ref('feat_insiders_datas') }}

),

atual as (

    select * from datas
    where ordem = 0

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
