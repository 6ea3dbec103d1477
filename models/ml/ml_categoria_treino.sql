{{ config(materialized='view') }}

with

clientes as (

    select * from {{ ref('feat_rfv') }}
    where {{ texto_na_lista('faixa', var('faixas_no_ajuste')) }}

),

categorias as (

    select * from {{ ref('feat_pct_categoria') }}
    where is_com_categoria

),

referencias as (

    select * from {{ ref('feat_referencias') }}
    where papel = 'atual'

),

final as (

    select
        {{ colunas_de_participacao('categorias') }}
    from clientes
    inner join referencias on clientes.dt_ref = referencias.dt_ref
    inner join categorias
        on
            clientes.dt_ref = categorias.dt_ref
            and clientes.id_cliente = categorias.id_cliente

)

select * from final
