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


{% macro esquece_clientes() -%}
    {#-
      Before every run: customers to forget leave every table of this project
      that is there, so that neither a part of the project nor scoring alone
      carries them on or publishes them. Called by on-run-start, which would
      roll back what is not committed.
    -#}
    {%- set tabelas = _tabelas_com_esquecidos() -%}
    {%- for nome, relacao, condicao in tabelas -%}
        {%- do run_query("delete from " ~ relacao ~ " where " ~ condicao) -%}
    {%- endfor -%}
    {%- if tabelas -%}{%- do adapter.commit() -%}{%- endif -%}
{%- endmacro %}


{% macro checa_esquecidos() -%}
    {#-
      After every run: no table of this project holds a customer to forget.
      Called by on-run-end, where every table is as the run leaves it; views
      hold nothing of their own.
    -#}
    {%- for nome, relacao, condicao in _tabelas_com_esquecidos() -%}
        {{ exceptions.raise_compiler_error(
            "The table " ~ nome ~ " holds customers to forget (var "
            ~ "clientes_esquecidos)."
        ) }}
    {%- endfor -%}
{%- endmacro %}


{% macro _tabelas_com_esquecidos() -%}
    {#- Name, relation and condition of each table that holds such a customer. -#}
    {%- set achadas = [] -%}
    {%- if execute and var('clientes_esquecidos') -%}
        {%- for no in graph.nodes.values()
            if no.resource_type == 'model'
            and no.package_name == 'segmentacao_clientes' -%}
            {%- set relacao = relacao_do_modelo(no.name) -%}
            {%- set condicao = _condicao_de_esquecidos(relacao) -%}
            {%- if condicao and run_query(
                "select 1 from " ~ relacao ~ " where " ~ condicao ~ " limit 1"
            ).rows | length -%}
                {%- do achadas.append((no.name, relacao, condicao)) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(achadas) }}
{%- endmacro %}


{% macro _condicao_de_esquecidos(relacao) -%}
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
    {{ return(condicoes | join(" or ")) }}
{%- endmacro %}
