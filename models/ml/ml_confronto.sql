with

novos as (

    select * from {{ ref('ml_atribuicoes_treino') }}

),

anteriores as (

    {{ atribui_clientes(
        ref('ml_modelos'),
        condicao="modelo_id in (select modelo_id from "
            ~ ref('ml_versoes') ~ " where is_anterior)",
        lidas=[ref('ml_versoes')],
        so_atual=true
    ) }}

),

final as (

    select
        novos.passo,
        case novos.passo when 'rfv' then 0 else 1 end as passo_numero,
        novos.modelo_id,
        novos.cluster,
        anteriores.modelo_id as modelo_anterior_id,
        anteriores.cluster as cluster_anterior,
        count(*) as clientes
    from novos
    inner join anteriores
        on
            novos.dt_ref = anteriores.dt_ref
            and novos.id_cliente = anteriores.id_cliente
            and novos.passo = anteriores.passo
    group by 1, 2, 3, 4, 5, 6

)

select * from final
