{{ config(materialized='view') }}

with

candidatos as (

    select * from {{ ref('ml_candidatos') }}
    where cluster = 0 and posicao = 0

),

limites as (

    {% for passo in ['rfv', 'categoria'] -%}
    select
        '{{ passo }}' as passo,
        {{ var(passo ~ '_k_min') }} as k_min,
        {{ var(passo ~ '_k_max') }} as k_max,
        cast({{ var(passo ~ '_k_fixo') or 'null' }} as {{ dbt.type_int() }}) as k_fixo
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

medidas as (

    select
        candidatos.passo,
        candidatos.k,
        limites.k_fixo,
        candidatos.silhueta,
        candidatos.silhueta_erro,
        candidatos.wss,
        candidatos.calinski_harabasz,
        candidatos.davies_bouldin,
        candidatos.menor_cluster,
        candidatos.menor_cluster
        / cast(candidatos.clientes_ajuste as {{ tipo_real() }})
            as participacao_menor,
        candidatos.clientes_ajuste,
        candidatos.ari_bootstrap,
        candidatos.p_valor,
        candidatos.k between limites.k_min and limites.k_max as is_na_faixa
    from candidatos
    inner join limites on candidatos.passo = limites.passo

),

final as (

    select
        *,
        is_na_faixa
        and menor_cluster >= {{ var('clientes_minimos') }}
        and participacao_menor >= {{ var('participacao_minima') }}
            as is_admissivel,
        ari_bootstrap < {{ var('ari_minimo') }} as is_instavel,
        p_valor > {{ var('p_maximo') }} as is_sem_estrutura
    from medidas

)

select * from final
