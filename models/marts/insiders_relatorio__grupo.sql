{{ config(materialized='view') }}

with

membros as (

    select membros.*
    from {{ ref('ml_insiders_membros') }} as membros
    inner join {{ ref('feat_referencias') }} as referencias
        on membros.dt_ref = referencias.dt_ref
    where referencias.papel = 'atual'

),

-- a customer is counted in each group that it belongs to
publicos as (

    {% for grupo, condicao in {
        'insiders': 'is_insider',
        'demais': 'not is_insider',
        'mais_valiosos': 'is_base_valor',
        'todos': 'true',
    }.items() -%}
    select
        '{{ grupo }}' as grupo,
        *
    from membros
    where {{ condicao }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

somas as (

    select
        dt_ref,
        grupo,
        count(*) as clientes,
        sum(valor) as receita,
        sum(case when is_base_valor then 1 else 0 end) as mais_valiosos,
        {{ mediana('valor') }} as valor_mediano,
        {{ mediana('recencia_dias') }} as recencia_mediana,
        cast(sum(frequencia) as {{ tipo_real() }}) as pedidos,
        cast(sum(valor_bruto) as {{ tipo_real() }}) as bruto,
        cast(sum(itens) as {{ tipo_real() }}) as itens,
        cast(sum(devolucoes) as {{ tipo_real() }}) as devolucoes,
        cast(sum(produtos_distintos) as {{ tipo_real() }}) as produtos,
        cast(sum(idade_base_dias) as {{ tipo_real() }}) as dias_de_casa,
        -- a sum of decimals does not depend on the order of the rows
        avg(cast(intervalo_medio_dias as decimal(18, 6))) as intervalo_medio
    from publicos
    group by 1, 2

),

total as (

    select
        clientes as clientes_todos,
        receita as receita_todos
    from somas
    where grupo = 'todos'

),

medidas as (

    select
        somas.*,
        somas.mais_valiosos / cast(somas.clientes as {{ tipo_real() }})
            as participacao_mais_valiosos,
        somas.clientes / cast(total.clientes_todos as {{ tipo_real() }})
            as participacao_clientes,
        somas.receita / cast(nullif(total.receita_todos, 0) as {{ tipo_real() }})
            as participacao_receita,
        somas.receita / cast(somas.clientes as {{ tipo_real() }}) as valor_medio,
        somas.pedidos / somas.clientes as frequencia_media,
        somas.bruto / somas.pedidos as ticket_medio,
        somas.itens / somas.pedidos as cesta_media,
        somas.produtos / somas.clientes as produtos_medios,
        somas.devolucoes / nullif(somas.itens, 0) as taxa_devolucao,
        somas.dias_de_casa / somas.clientes as idade_media
    from somas
    cross join total

),

final as (

    {% for pergunta, medida, unidade in [
        (1, 'clientes', 'clientes'),
        (1, 'valor_mediano', 'moeda'),
        (1, 'participacao_mais_valiosos', 'fracao'),
        (2, 'clientes', 'clientes'),
        (2, 'participacao_clientes', 'fracao'),
        (3, 'valor_medio', 'moeda'),
        (3, 'recencia_mediana', 'dias'),
        (3, 'frequencia_media', 'pedidos'),
        (3, 'intervalo_medio', 'dias'),
        (3, 'ticket_medio', 'moeda'),
        (3, 'cesta_media', 'itens'),
        (3, 'produtos_medios', 'produtos'),
        (3, 'taxa_devolucao', 'fracao'),
        (3, 'idade_media', 'dias'),
        (4, 'receita', 'moeda'),
        (4, 'participacao_receita', 'fracao'),
    ] -%}
    {{ item_do_relatorio(
        pergunta, loop.index, medida, unidade, 'insiders_perfil', 'medidas'
    ) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from final
