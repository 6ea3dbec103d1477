{{ config(materialized='view') }}

with

clientes as (

    select * from {{ ref('feat_rfv') }}
    where {{ texto_na_lista('faixa', var('faixas_no_ajuste')) }}

),

referencias as (

    select * from {{ ref('feat_referencias') }}
    where papel = 'atual'

),

final as (

    select
        cast(clientes.recencia_dias as {{ tipo_real() }}) as recencia_dias,
        cast(clientes.frequencia as {{ tipo_real() }}) as frequencia,
        cast(clientes.valor as {{ tipo_real() }}) as valor
    from clientes
    inner join referencias on clientes.dt_ref = referencias.dt_ref

)

select * from final
