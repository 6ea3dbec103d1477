with

medidas as (

    select * from {{ ref('ml_medidas_k') }}

),

vencedores as (

    select * from {{ ref('ml_vencedores_k') }}

),

final as (

    select
        medidas.passo,
        medidas.k,
        medidas.k = coalesce(
            vencedores.k_fixo, vencedores.k_da_regra, vencedores.k_equilibrado
        ) as is_escolhido,
        {{ motivo_da_escolha() }} as motivo,
        medidas.is_na_faixa,
        medidas.is_admissivel,
        medidas.is_instavel,
        medidas.is_sem_estrutura,
        vencedores.k_silhueta_pura,
        medidas.silhueta,
        medidas.silhueta_erro,
        medidas.wss,
        medidas.calinski_harabasz,
        medidas.davies_bouldin,
        medidas.menor_cluster,
        medidas.participacao_menor,
        medidas.clientes_ajuste,
        medidas.ari_bootstrap,
        medidas.p_valor
    from medidas
    inner join vencedores on medidas.passo = vencedores.passo

)

select * from final
