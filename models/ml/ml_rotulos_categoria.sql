{{ config(materialized='view') }}

with

nomes as (

    select * from {{ ref('ml_nomes_categoria') }}

),

numerados as (

    select
        *,
        row_number() over (
            partition by nome order by forca desc, clientes desc, cluster
        ) as repeticao,
        row_number() over (order by clientes desc, forca desc, cluster) as ordem
    from nomes

),

codificados as (

    select
        k,
        cluster,
        ordem,
        {{ com_numero('nome', 'repeticao', '_') }} as rotulo,
        {{ slug(com_numero('nome', 'repeticao', '_')) }} as codigo
    from numerados

),

-- a category called Livros Moda and the pair Livros&Moda share a code; no code
-- has two underscores of its own, so a number behind them is unique
final as (

    select
        'categoria' as passo,
        k,
        cluster,
        ordem,
        {{ com_numero(
            'codigo',
            'row_number() over (partition by codigo order by ordem)',
            '__'
        ) }} as segmento_id,
        rotulo
    from codificados

)

select * from final
