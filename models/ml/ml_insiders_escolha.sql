with

comparacao as (

    select * from {{ ref('ml_insiders_comparacao') }}

),

avaliada as (

    select
        *,
        k between {{ var('insiders_k_min') }} and {{ var('insiders_k_max') }}
            as is_na_faixa,
        participacao_topo between {{ var('insiders_participacao_minima') }}
        and {{ var('insiders_participacao_maxima') }} as is_programa,
        participacao_menor >= {{ var('participacao_minima') }}
        and menor_grupo >= {{ var('clientes_minimos') }}
        and participacao_ruido = 0 as is_grupos_utilizaveis,
        -- what a var asks for bounds the choice before the rule does
        true
        {%- for coluna in ['espaco', 'algoritmo'] if var('insiders_' ~ coluna) %}
        and {{ coluna }} = '{{ var("insiders_" ~ coluna) }}'
        {%- endfor %}
        {%- if var('insiders_k_fixo') %} and k = {{ var('insiders_k_fixo') }}
        {%- endif %} as is_pedida
    from comparacao

),

com_distancia as (

    select
        *,
        {{ 'true' if var('insiders_k_fixo') else 'is_na_faixa' }}
        and is_programa
        and is_grupos_utilizaveis as is_admissivel,
        -- how far the top group is from the size of a programme
        greatest(
            {{ var('insiders_participacao_minima') }} - participacao_topo,
            participacao_topo - {{ var('insiders_participacao_maxima') }},
            0
        ) as distancia_programa
    from avaliada

),

melhor as (

    select
        *,
        max(case when is_pedida and is_admissivel then silhueta_comum end)
            over () as melhor_silhueta
    from com_distancia

),

ordenada as (

    select
        *,
        row_number() over (
            order by
                is_pedida desc,
                is_admissivel desc,
                is_grupos_utilizaveis desc,
                is_na_faixa desc,
                distancia_programa,
                -- silhouettes this close are equal: the fewest groups win
                silhueta_comum
                >= melhor_silhueta - {{ var('tolerancia_silhueta') }} desc,
                case when is_admissivel then k end,
                silhueta_comum desc nulls last,
                k,
                algoritmo,
                espaco
        ) as lugar
    from melhor

),

final as (

    select
        espaco,
        algoritmo,
        k,
        lugar = 1 and is_pedida as is_escolhido,
        {{ motivo_dos_insiders() }} as motivo,
        is_admissivel,
        ari_bootstrap < {{ var('ari_minimo') }} as is_instavel,
        silhueta,
        silhueta_comum,
        is_silhueta_comparavel,
        grupos,
        menor_grupo,
        participacao_menor,
        participacao_ruido,
        clientes_topo,
        participacao_topo,
        participacao_receita_topo,
        ari_bootstrap,
        clientes,
        clientes_ajuste,
        clientes_medida,
        segundos_ajuste
    from ordenada

)

select * from final
