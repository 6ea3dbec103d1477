{#
  What ties a number to the run that made it.
#}

{% macro momento_da_execucao() -%}
    {#- The start of the run in UTC, the same in every table of one build. -#}
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp)
{%- endmacro %}


{% macro conteudo_do_modelo() -%}
    {#- Everything that decides who gets which name, as one text. -#}
    {%- set texto = dbt.type_string() -%}
    {%- set linha = [
        "cast(cluster as " ~ texto ~ ")", "rotulo", "segmento_id", "variavel",
        "transformacao", "cast(deslocamento as " ~ texto ~ ")",
        "cast(escala as " ~ texto ~ ")", "cast(centro as " ~ texto ~ ")",
    ] | join(" || '|' || ") -%}
    {{ dbt.listagg(linha, "';'", "order by cluster, posicao") }}
{%- endmacro %}


{% macro apaga_esquecidos() -%}
    {#- For a table that outlives its run: customers to forget leave it too. -#}
    {%- if var('clientes_esquecidos') -%}
    delete from {{ this }}
    where id_cliente in (
        select {{ le_texto('esquecidos.id_cliente') }}
        from {{ origem('clientes_esquecidos') }} as esquecidos
    )
    {%- endif -%}
{%- endmacro %}
