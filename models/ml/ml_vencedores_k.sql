{{ config(materialized='view') }}

with

medidas as (

    select * from {{ ref('ml_medidas_k') }}

),

ordenadas as (

    select
        *,
        row_number() over (
            partition by passo
            order by silhueta desc, k
        ) as lugar_puro,
        row_number() over (
            partition by passo
            order by is_admissivel desc, silhueta desc, k
        ) as lugar_admissivel,
        row_number() over (
            partition by passo
            order by is_na_faixa desc, menor_cluster desc, silhueta desc, k
        ) as lugar_equilibrado
    from medidas

),

vencedores as (

    select
        passo,
        max(k_fixo) as k_fixo,
        max(case when lugar_puro = 1 then k end) as k_silhueta_pura,
        -- for when none is admissible: the least unbalanced one
        max(case when lugar_equilibrado = 1 then k end) as k_equilibrado,
        max(case when lugar_admissivel = 1 and is_admissivel then k end)
            as k_melhor,
        max(case when lugar_admissivel = 1 then silhueta - greatest(
            2 * silhueta_erro, {{ var('tolerancia_silhueta') }}
        ) end) as silhueta_de_empate
    from ordenadas
    group by 1

),

final as (

    select
        vencedores.*,
        -- of those that tie with the best, the smallest
        (
            select min(medidas.k)
            from medidas
            where
                medidas.passo = vencedores.passo
                and medidas.is_admissivel
                and medidas.silhueta >= vencedores.silhueta_de_empate
        ) as k_da_regra
    from vencedores

)

select * from final
