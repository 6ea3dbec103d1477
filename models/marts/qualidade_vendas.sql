with

aceitas as (

    select
        'aceita' as situacao,
        tipo as motivo,
        sum(linhas) as linhas,
        sum(valor) as valor,
        min(data_venda) as primeira_data,
        max(data_venda) as ultima_data
    from {{ ref('feat_vendas_dia') }}
    group by 1, 2

),

clientes as (

    {% for tipo in ['compra', 'devolucao', 'brinde', 'sem_quantidade'] -%}
    select
        '{{ tipo }}' as motivo,
        count(distinct id_cliente) as clientes
    from {{ ref('feat_cliente_periodo') }}
    where linhas_{{ tipo }} > 0
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

recusadas as (

    select
        'recusada' as situacao,
        motivo,
        count(*) as linhas,
        count(distinct id_cliente) as clientes,
        sum(valor_venda) as valor,
        min(data_venda) as primeira_data,
        max(data_venda) as ultima_data
    from {{ ref('stg_vendas_rejeitadas') }}
    group by 1, 2

),

referencias as (

    select * from {{ ref('feat_referencias') }}
    where papel = 'atual'

),

somadas as (

    select
        aceitas.situacao,
        aceitas.motivo,
        aceitas.linhas,
        clientes.clientes,
        aceitas.valor,
        aceitas.primeira_data,
        aceitas.ultima_data
    from aceitas
    left join clientes on aceitas.motivo = clientes.motivo

    union all

    select * from recusadas

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
