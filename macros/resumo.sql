{#
  The last words of a build: the segments as a small table, and where the
  results are. Called by on-run-end; says nothing when the mart was not built.
#}

{% macro mostra_resumo() -%}
    {%- if execute -%}
        {%- for resultado in results
            if resultado.node.name == 'perfil_clusters'
            and resultado.node.resource_type == 'model'
            and resultado.status == 'success' -%}
            {{ _escreve_resumo(resultado.node.relation_name) }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{% macro _escreve_resumo(perfil) -%}
    {%- set linhas = run_query(
        "select dt_ref, cluster, clientes, participacao_receita, "
        ~ "recencia_mediana, valor_mediano from " ~ perfil ~ " order by posicao"
    ).rows -%}
    {%- if linhas | length -%}
        {%- do log("", info=True) -%}
        {%- do log("Segments on " ~ linhas[0][0], info=True) -%}
        {%- do log("%-50s %8s %9s %12s %13s" | format(
            "cluster", "clientes", "receita %", "recencia", "valor mediano"
        ), info=True) -%}
    {%- endif -%}
    {%- for linha in linhas -%}
        {%- do log("%-50s %8d %9.1f %12.0f %13.2f" | format(
            linha[1], linha[2], (linha[3] or 0) * 100, linha[4], linha[5]
        ), info=True) -%}
    {%- endfor -%}
    {%- for passo in ['rfv', 'categoria'] -%}
        {%- if run_query(
            "select 1 from " ~ perfil ~ " where " ~ passo ~ "_sem_estrutura"
        ).rows | length -%}
            {%- do log("Note: the " ~ passo ~ " groups are no clearer than chance "
                ~ "would make them; see ml_escolha_k.", info=True) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do log("", info=True) -%}
    {%- do log("Results: tables cluster_clientes and perfil_clusters in "
        ~ (target.path or target.schema), info=True) -%}
    {%- if var('rastreio') != 'desligado' -%}
        {#- what stands before @ may be a password -#}
        {%- do log("Runs:    mlflow ui --backend-store-uri "
            ~ var('mlflow_uri').split('@')[-1], info=True) -%}
    {%- endif -%}
{%- endmacro %}
