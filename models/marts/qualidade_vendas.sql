with

aceitas as (

    select
        'aceita' as situacao,
        case
            when is_compra then 'compra'
            when is_devolucao then 'devolucao'
            when valor_venda = 0 then 'brinde'
            else 'sem_quantidade'
        end as motivo,
        id_cliente,
        data_venda,
        valor_venda
    from {{ ref('stg_vendas') }}

),

recusadas as (

    select
        'recusada' as situacao,
        motivo,
        id_cliente,
        data_venda,
        valor_venda
    from {{ ref('stg_vendas_rejeitadas') }}

),

vendas as (

    select * from aceitas
    union all
    select * from recusadas

),

referencias as (

    select * from {{ ref('feat_referencias') }}
    where papel = 'atual'

),

somadas as (

    select
        situacao,
        motivo,
        count(*) as linhas,
        count(distinct id_cliente) as clientes,
        sum(valor_venda) as valor,
        min(data_venda) as primeira_data,
        max(data_venda) as ultima_data
    from vendas
    group by 1, 2

),

final as (

    select
        referencias.dt_ref,
        somadas.situacao,
        somadas.motivo,
        cast(somadas.linhas as {{ dbt.type_bigint() }}) as linhas,
        somadas.linhas / cast(sum(somadas.linhas) over () as {{ tipo_real() }})
            as participacao_linhas,
        cast(somadas.clientes as {{ dbt.type_bigint() }}) as clientes,
        cast(somadas.valor as {{ tipo_valor() }}) as valor,
        somadas.primeira_data,
        somadas.ultima_data,
        '{{ invocation_id }}' as run_id,
        {{ momento_da_execucao() }} as calculado_em
    from somadas
    cross join referencias

)

select * from final
order by situacao, linhas desc, motivo
