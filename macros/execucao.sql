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


{% macro checa_esquecidos() -%}
    {#-
      After every run: no table of this project holds a customer to forget. One
      that the run has built stops it; one that it left alone is named, because
      it loses them when it is built. Called by on-run-end, where every table is
      as the run leaves it; views hold nothing of their own.
    -#}
    {%- if execute and var('clientes_esquecidos') and results -%}
        {%- set construidos = results | selectattr('status', 'equalto', 'success')
            | map(attribute='node.unique_id') | list -%}
        {%- set achadas = [] -%}
        {%- for no in graph.nodes.values()
            if no.resource_type == 'model'
            and no.package_name == 'segmentacao_clientes' -%}
            {%- set linhas = _linhas_de_esquecidos(no) -%}
            {%- if linhas and no.unique_id in construidos -%}
                {%- do achadas.append(no.name ~ " holds " ~ linhas) -%}
            {%- elif linhas -%}
                {%- do exceptions.warn(
                    "The table " ~ no.name ~ " was not built in this run and still "
                    ~ "holds " ~ linhas ~ " rows of customers to forget."
                ) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- for achada in achadas -%}
            {{ exceptions.raise_compiler_error(
                "The table " ~ achada
                ~ " rows of customers to forget (var clientes_esquecidos)."
            ) }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{% macro _linhas_de_esquecidos(no) -%}
    {%- set relacao = relacao_do_modelo(no.name) -%}
    {%- set condicoes = [] -%}
    {%- if relacao is not none and not relacao.is_view -%}
        {%- for coluna in adapter.get_columns_in_relation(relacao)
            if coluna.name in ['id_cliente', 'id_cliente_origem'] -%}
            {%- do condicoes.append(
                le_texto(adapter.quote(coluna.name)) ~ " in (select "
                ~ le_texto("esquecidos.id_cliente") ~ " from "
                ~ origem('clientes_esquecidos') ~ " as esquecidos)"
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if not condicoes -%}{{ return(0) }}{%- endif -%}
    {{ return(run_query(
        "select count(*) from " ~ relacao ~ " where " ~ condicoes | join(" or ")
    ).columns[0].values()[0]) }}
{%- endmacro %}
