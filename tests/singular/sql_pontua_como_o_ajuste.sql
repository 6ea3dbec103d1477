-- Scoring happens in SQL, fitting in Python: a logarithm or a scale applied in
-- one and not in the other moves customers between segments in silence. The
-- customers that SQL gives to each centre are as many as the fit counted; one
-- in 100,000 may stand so near to two centres that the last digit decides.

with

pontuados as (

    select
        atribuicoes.passo,
        atribuicoes.modelo_id,
        atribuicoes.cluster,
        count(*) as clientes
    from {{ ref('ml_atribuicoes') }} as atribuicoes
    inner join {{ ref('feat_referencias') }} as referencias
        on
            atribuicoes.dt_ref = referencias.dt_ref
            and referencias.papel = 'atual'
    group by 1, 2, 3

),

ajustados as (

    -- only a model that was fitted at this very date can be compared
    select modelos.*
    from {{ ref('ml_modelo_em_vigor') }} as modelos
    inner join {{ ref('feat_referencias') }} as referencias
        on
            modelos.dt_ref_treino = referencias.dt_ref
            and referencias.papel = 'atual'
    where
        modelos.posicao = 0
        and modelos.run_id = '{{ invocation_id }}'

)

select
    ajustados.passo,
    ajustados.cluster,
    ajustados.clientes as no_ajuste,
    pontuados.clientes as na_pontuacao
from ajustados
left join pontuados
    on
        ajustados.modelo_id = pontuados.modelo_id
        and ajustados.cluster = pontuados.cluster
where
    abs(coalesce(pontuados.clientes, 0) - ajustados.clientes)
    > ajustados.clientes_ajuste / 100000.0
