-- A filter in staging once looked harmless and lost every line whose customer
-- was empty. Lines and value of the source, counted without staging's help,
-- must equal what was kept plus what was refused.

with

origem as (

    select
        count(*) as linhas,
        coalesce(sum(valor_venda), 0) as valor
    from {{ ref('base_vendas') }}
    {% if var('clientes_esquecidos') %}
    where not exists (
        select 1
        from {{ origem('clientes_esquecidos') }} as esquecidos
        where {{ le_texto('esquecidos.id_cliente') }} = id_cliente_lido
    )
    {% endif %}

),

contagem as (

    select count(*) as linhas from {{ origem('vendas') }}

),

destino as (

    select
        sum(linhas) as linhas,
        coalesce(sum(valor), 0) as valor
    from {{ ref('qualidade_vendas') }}

)

select
    origem.linhas as linhas_lidas,
    contagem.linhas as linhas_da_fonte,
    destino.linhas as linhas_no_destino,
    origem.valor as valor_lido,
    destino.valor as valor_no_destino
from origem
cross join contagem
cross join destino
where
    origem.linhas <> destino.linhas
    or origem.valor <> destino.valor
    {% if not var('clientes_esquecidos') %}
    or contagem.linhas <> destino.linhas
    {% endif %}
