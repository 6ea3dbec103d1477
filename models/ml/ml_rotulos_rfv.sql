{{ config(materialized='view') }}

with

perfis as (

    select * from {{ ref('ml_perfis_rfv') }}

),

nomes as (

    select * from {{ origem('rotulos_rfv') }}

),

com_posicao as (

    select
        *,
        count(*) over (partition by papel) as n_grupos,
        row_number() over (
            partition by papel
            order by valor_medio, frequencia_media, recencia_mediana desc
        ) as posicao,
        case papel
            when 'outro' then 1
            when 'vip' then 2
            when 'churn_inicial' then 3
            else 4
        end as bloco
    from perfis

),

com_ordem as (

    select
        *,
        row_number() over (order by bloco, posicao) as ordem
    from com_posicao

),

final as (

    select
        'rfv' as passo,
        com_ordem.k,
        com_ordem.cluster,
        com_ordem.ordem,
        nomes.segmento_id,
        right('0' || cast(com_ordem.ordem as {{ dbt.type_string() }}), 2)
        || '-' || nomes.nome as rotulo
    from com_ordem
    inner join nomes
        on
            com_ordem.papel = nomes.papel
            and com_ordem.n_grupos = nomes.n_grupos
            and com_ordem.posicao = nomes.posicao

)

select * from final
