{{ config(enabled=var('insiders_ativo'), tags=['treino', 'insiders']) }}

-- The rule is printed as SQL for people to run. Run on the features as it
-- stands, it finds the customers that the tables say it finds, no others.

{# the refs stand before any condition: parsing must see them #}
{%- set regras, datas = ref('ml_insiders_regra'), ref('feat_referencias') -%}
{%- set linhas = [] -%}
{%- if execute and load_relation(regras) -%}
    {%- set linhas = run_query(
        "select regra_sql from " ~ regras ~ " where dt_ref = (select dt_ref from "
        ~ datas ~ " where papel = 'atual') limit 1"
    ).rows -%}
{%- endif -%}
{%- set regra = linhas[0][0] if linhas | length else 'false' %}

with

encontrados as (

    select comportamento.id_cliente
    from {{ ref('feat_comportamento') }} as comportamento
    inner join {{ ref('feat_referencias') }} as referencias
        on
            comportamento.dt_ref = referencias.dt_ref
            and referencias.papel = 'atual'
    where {{ regra }}

),

declarados as (

    select id_cliente
    from {{ ref('insiders_clientes') }}
    where is_regra

)

select
    encontrados.id_cliente as so_pelo_sql,
    declarados.id_cliente as so_na_tabela
from encontrados
full join declarados on encontrados.id_cliente = declarados.id_cliente
where encontrados.id_cliente is null or declarados.id_cliente is null
