{{ config(materialized='view') }}

with

publicados as (

    select * from {{ ref('cluster_clientes') }}

),

historico as (

    select * from {{ ref('cluster_clientes_historico') }}

),

datas as (

    select
        publicados.dt_ref,
        max(historico.dt_ref) as dt_ref_anterior
    from (select max(dt_ref) as dt_ref from publicados) as publicados
    left join historico on publicados.dt_ref > historico.dt_ref
    group by 1

),

agora as (

    {{ publicos('publicados') }}

),

antes as (

    select historico.*
    from ({{ publicos('historico') }}) as historico
    inner join datas on historico.dt_ref = datas.dt_ref_anterior

),

execucao as (

    select
        max(modelo_rfv_id) as modelo_rfv_id,
        max(modelo_categoria_id) as modelo_categoria_id,
        max(run_id) as run_id,
        max(calculado_em) as calculado_em
    from publicados

),

movimentos as (

    select
        coalesce(agora.id_cliente, antes.id_cliente) as id_cliente,
        coalesce(agora.publico, antes.publico) as publico,
        coalesce(agora.segmento, antes.segmento) as segmento,
        case
            when antes.id_cliente is null then 'entrou'
            when agora.id_cliente is null then 'saiu'
            else 'ficou'
        end as situacao
    from agora
    full join antes
        on
            agora.id_cliente = antes.id_cliente
            and agora.publico = antes.publico
            and agora.segmento = antes.segmento

),

final as (

    select
        datas.dt_ref,
        datas.dt_ref_anterior,
        movimentos.id_cliente,
        {{ email_do_cliente() }} as email_sha256,
        movimentos.publico,
        movimentos.segmento,
        movimentos.situacao,
        execucao.modelo_rfv_id,
        execucao.modelo_categoria_id,
        execucao.run_id,
        execucao.calculado_em
    from movimentos
    cross join datas
    cross join execucao
    {{ junta_contatos('movimentos') }}

)

select * from final
