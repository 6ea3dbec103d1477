{{ config(materialized='view') }}

with

modelos as (

    select * from {{ ref('ml_modelo_em_vigor') }}

),

valores as (

    select * from {{ ref('monitor_deriva__valores') }}

),

medias as (

    select
        valores.passo,
        valores.cluster,
        valores.variavel,
        count(*) as clientes,
        avg((
            case modelos.transformacao
                when 'log1p' then ln(1 + valores.valor)
                else valores.valor
            end - modelos.deslocamento
        ) / modelos.escala) as media
    from valores
    inner join modelos
        on
            valores.passo = modelos.passo
            and valores.cluster = modelos.cluster
            and valores.variavel = modelos.variavel
    group by 1, 2, 3

),

andados as (

    select
        modelos.passo,
        modelos.cluster,
        max(medias.clientes) as clientes,
        sqrt(sum(
            (medias.media - modelos.centro) * (medias.media - modelos.centro)
        )) as andado
    from modelos
    inner join medias
        on
            modelos.passo = medias.passo
            and modelos.cluster = medias.cluster
            and modelos.variavel = medias.variavel
    group by 1, 2

),

distancias as (

    select
        a.passo,
        a.cluster,
        b.cluster as outro,
        sqrt(sum((a.centro - b.centro) * (a.centro - b.centro))) as distancia
    from modelos as a
    inner join modelos as b
        on
            a.passo = b.passo
            and a.variavel = b.variavel
            and a.cluster <> b.cluster
    group by 1, 2, 3

),

vizinhos as (

    select
        passo,
        cluster,
        min(distancia) as ate_o_vizinho
    from distancias
    group by 1, 2

),

final as (

    select
        andados.passo,
        andados.cluster,
        andados.clientes,
        andados.andado / nullif(vizinhos.ate_o_vizinho, 0) as movimento
    from andados
    inner join vizinhos
        on
            andados.passo = vizinhos.passo
            and andados.cluster = vizinhos.cluster

)

select * from final
