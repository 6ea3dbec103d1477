-- Three public RFM tools call their best customers lost when recency is
-- sorted the wrong way round. The names must keep their direction: churn is
-- the latest group but for the VIPs, VIPs have the highest mean value, and the
-- groups named by value stand in its order.

with

perfis as (

    select
        perfis.papel,
        perfis.valor_medio,
        perfis.recencia_mediana,
        rotulos.ordem
    from {{ ref('ml_perfis_rfv') }} as perfis
    inner join {{ ref('ml_rotulos_rfv') }} as rotulos
        on perfis.cluster = rotulos.cluster

)

select
    a.papel,
    a.ordem,
    b.papel as outro_papel,
    b.ordem as outra_ordem
from perfis as a
cross join perfis as b
where
    (a.papel = 'vip' and b.valor_medio > a.valor_medio)
    or (
        a.papel = 'churn'
        and b.papel <> 'vip'
        and b.recencia_mediana > a.recencia_mediana
    )
    or (
        a.papel = 'outro'
        and b.papel = 'outro'
        and a.ordem < b.ordem
        and a.valor_medio > b.valor_medio
    )
