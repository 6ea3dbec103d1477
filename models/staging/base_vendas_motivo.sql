{{ config(materialized='view') }}

with

vendas as (

    select * from {{ ref('base_vendas_avaliadas') }}
    where motivo_da_linha is null

),

separadas as (

    select * from {{ ref('base_vendas_separadas') }}

),

final as (

    select
        *,
        false as is_comparada,
        cast(null as {{ dbt.type_string() }}) as motivo
    from vendas
    where
        not {{ pode_repetir() }}
        or impressao not in (
            select separadas.impressao
            from separadas
            where separadas.is_comparada
        )

    union all

    select * from separadas

)

select * from final
