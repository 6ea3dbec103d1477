{{ config(materialized='view') }}

with

valores as (

    select * from {{ ref('ml_valores_treino') }}

),

decis as (

    select
        passo,
        variavel,
        {% for i in range(limites_max()) -%}
        {{ quantil('valor', (i + 1) / 10) }} as limite_{{ i }},
        {% endfor -%}
        max(valor) as maximo
    from valores
    group by 1, 2

),

-- equal deciles, as of many customers with one order, are one limit
distintos as (

    {% for i in range(limites_max()) -%}
    select
        passo,
        variavel,
        limite_{{ i }} as limite
    from decis
    where limite_{{ i }} < maximo
    {% if not loop.last %}union{% endif %}
    {% endfor %}

),

limites as (

    select
        *,
        row_number() over (partition by passo, variavel order by limite) - 1 as faixa
    from distintos

),

contagens as (

    {{ conta_faixas('valores', 'limites') }}

),

final as (

    select
        contagens.passo,
        contagens.variavel,
        contagens.faixa,
        limites.limite,
        contagens.clientes
    from contagens
    left join limites
        on
            contagens.passo = limites.passo
            and contagens.variavel = limites.variavel
            and contagens.faixa = limites.faixa

)

select * from final
