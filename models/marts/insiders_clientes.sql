with

clientes as (

    select clientes.*
    from {{ ref('feat_rfv') }} as clientes
    inner join {{ ref('feat_referencias') }} as referencias
        on clientes.dt_ref = referencias.dt_ref
    where referencias.papel = 'atual'

),

membros as (

    select * from {{ ref('ml_insiders_membros') }}

),

regra as (

    select * from {{ ref('insiders_clientes__regra') }}

),

sem_compra as (

    select * from {{ origem('rotulos_insiders') }}
    where papel = 'sem_compra'

),

juntos as (

    select
        clientes.dt_ref,
        clientes.id_cliente,
        clientes.recencia_dias,
        coalesce(membros.is_insider, false) as is_insider,
        coalesce(membros.is_base_valor, false) as is_mais_valioso,
        coalesce(membros.grupo_id, 'sem_compra') as grupo_id,
        coalesce(membros.grupo_nome, sem_compra.nome) as grupo,
        coalesce(membros.frequencia, 0) as frequencia,
        coalesce(membros.valor, 0) as valor,
        coalesce(regra.is_regra, false) as is_regra,
        regra.is_regra_anterior,
        regra.condicoes_em_falta,
        regra.condicao_proxima,
        regra.operador,
        regra.limite,
        regra.falta,
        regra.datas_em_falha
    from clientes
    cross join sem_compra
    left join membros
        on
            clientes.dt_ref = membros.dt_ref
            and clientes.id_cliente = membros.id_cliente
    left join regra on clientes.id_cliente = regra.id_cliente

),

final as (

    select
        dt_ref,
        id_cliente,
        is_insider,
        grupo_id,
        grupo,
        is_regra,
        {{ situacao_no_programa() }} as situacao,
        datas_em_falha >= {{ var('insiders_saida_datas') }} as is_saida,
        cast(datas_em_falha as {{ dbt.type_int() }}) as datas_em_falha,
        cast(datas_em_falha * {{ var('janela_meses') }} as {{ dbt.type_int() }})
            as meses_em_falha,
        cast(condicoes_em_falta as {{ dbt.type_int() }}) as condicoes_em_falta,
        condicao_proxima,
        operador,
        limite,
        falta,
        is_mais_valioso,
        {{ fracao_do_texto(
            "id_cliente || ':" ~ var('insiders_controle_sal') ~ "'"
        ) }} < {{ var('insiders_controle_participacao') }} as is_controle,
        cast(recencia_dias as {{ dbt.type_int() }}) as recencia_dias,
        cast(frequencia as {{ dbt.type_int() }}) as frequencia,
        cast(valor as decimal(18, 2)) as valor,
        '{{ invocation_id }}' as run_id,
        {{ momento_da_execucao() }} as calculado_em
    from juntos

)

select * from final
