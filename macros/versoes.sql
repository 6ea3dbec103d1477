{#
  Which model version scores, and what a run does when there is none.
#}

{% macro versao_fixada(passo) -%}
    {#- The version that the var modelo_em_vigor pins for a step, or none. -#}
    {%- set fixadas = var('modelo_em_vigor') -%}
    {{ return(fixadas.get(passo) if fixadas is mapping else none) }}
{%- endmacro %}


{% macro relacao_do_modelo(nome) -%}
    {#-
      The relation of a model of this project as it stands in the warehouse, or
      none. Not a ref: for what must be looked at without being waited for.
    -#}
    {%- set no = graph.nodes.get('model.segmentacao_clientes.' ~ nome) -%}
    {%- if no is none -%}{{ return(none) }}{%- endif -%}
    {{ return(adapter.get_relation(
        database=no.database, schema=no.schema, identifier=no.alias
    )) }}
{%- endmacro %}


{% macro checa_se_ha_modelo() -%}
    {#- A scoring run in an empty warehouse stops before it reads a sale. -#}
    {%- if 'model.segmentacao_clientes.ml_modelo_em_vigor' in selected_resources
        and 'model.segmentacao_clientes.ml_modelos' not in selected_resources
        and relacao_do_modelo('ml_modelos') is none -%}
        {{ _sem_modelo("the registry ml_modelos does not exist yet") }}
    {%- endif -%}
{%- endmacro %}


{% macro _sem_modelo(motivo) -%}
    {{ exceptions.raise_compiler_error(
        "There is no model to score by: " ~ motivo ~ ". Run dbt build once "
        ~ "without excluding tag:treino, which trains one."
    ) }}
{%- endmacro %}


{% macro exige_modelo_em_vigor(versoes) -%}
    {#-
      Before anything is scored: the pinned versions exist, some version is in
      force at dt_ref, and it was trained on the features that this run has.
    -#}
    {%- if execute -%}
        {%- set linhas = run_query(
            "select passo, modelo_id, is_em_vigor, dt_ref_treino, parametros from "
            ~ versoes ~ " where is_com_identidade order by treinado_em, modelo_id"
        ).rows -%}
        {%- for passo in ['rfv', 'categoria'] -%}
            {{ _exige_versao_fixada(passo, linhas) }}
        {%- endfor -%}
        {%- set em_vigor = linhas | selectattr(2) | list -%}
        {%- if not linhas | length -%}
            {{ _sem_modelo("the registry ml_modelos is empty") }}
        {%- elif 'rfv' not in em_vigor | map(attribute=0) -%}
            {{ _sem_modelo(
                "none was trained at or before dt_ref, the earliest on "
                ~ linhas | map(attribute=3) | min
                ~ ", and a later one would look ahead unless the var "
                ~ "modelo_em_vigor pins it"
            ) }}
        {%- endif -%}
        {%- for linha in em_vigor -%}
            {{ _exige_mesmas_features(linha[1], linha[4]) }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{% macro _exige_versao_fixada(passo, linhas) -%}
    {%- set fixada = versao_fixada(passo) -%}
    {%- set versoes = [] -%}
    {%- for linha in linhas if linha[0] == passo -%}
        {%- do versoes.append(linha[1]) -%}
    {%- endfor -%}
    {%- if fixada and fixada not in versoes -%}
        {{ _recusa(
            'modelo_em_vigor.' ~ passo, "'" ~ fixada ~ "'",
            'null' ~ (' or ' if versoes else '') ~ versoes | join(' or ')
        ) }}
    {%- endif -%}
{%- endmacro %}


{% macro parametros_do_ajuste() -%}
    {#- What decides the features and the fit, kept with each version. -#}
    {%- set parametros = {} -%}
    {%- for nome in [
        'janela_meses', 'base_valor', 'faixas_no_ajuste', 'rfv_transformacoes',
        'rfv_padronizar', 'categoria_padronizar', 'categorias_max', 'n_init',
        'semente', 'silhueta_exata_max', 'ajuste_max', 'participacao_minima',
        'clientes_minimos', 'tolerancia_silhueta', 'rfv_k_min', 'rfv_k_max',
        'rfv_k_fixo', 'categoria_k_min', 'categoria_k_max', 'categoria_k_fixo',
    ] -%}
        {%- do parametros.update({nome: var(nome)}) -%}
    {%- endfor -%}
    {{ return(tojson(parametros, sort_keys=true)) }}
{%- endmacro %}


{% macro _exige_mesmas_features(modelo_id, parametros) -%}
    {%- set do_ajuste = fromjson(parametros or '{}', {}) -%}
    {%- for nome in ['janela_meses', 'base_valor']
        if nome in do_ajuste and do_ajuste[nome] != var(nome) -%}
        {{ _recusa(
            nome, var(nome), do_ajuste[nome] ~ ", with which the model in force "
            ~ modelo_id ~ " was trained, or a build that trains another"
        ) }}
    {%- endfor -%}
{%- endmacro %}


{% macro identidade_nova() -%}
    {#- The next free number of the step, such as R5, in the order of names. -#}
    case passo when 'rfv' then 'R' else 'C' end || cast(
        coalesce((
            select max(cast(substring(conhecidos.identidade, 2) as {{ dbt.type_int() }}))
            from conhecidos
            where conhecidos.passo = herdados.passo
        ), 0) + row_number() over (
            partition by passo, identidade_herdada is null order by ordem
        ) as {{ dbt.type_string() }}
    )
{%- endmacro %}


{% macro colunas_do_modelo(relacao) -%}
    {#- What ml_modelos keeps of a fit, as a select list. -#}
    {%- for coluna in [
        'modelo_id', 'dt_ref_treino', 'passo', 'k', 'cluster', 'ordem',
        'segmento_id', 'rotulo', 'variavel', 'posicao', 'transformacao',
        'deslocamento', 'escala', 'centro', 'clientes', 'clientes_ajuste',
        'silhueta', 'is_instavel', 'is_sem_estrutura', 'digest',
    ] -%}
        {{ relacao }}.{{ coluna }}{% if not loop.last %}, {% endif %}
    {%- endfor -%}
{%- endmacro %}


{% macro dt_ref_publicada_antes() -%}
    {#- The last date in the history before this run's, as a scalar query. -#}
    (
        select max(historico.dt_ref)
        from {{ ref('cluster_clientes_historico') }} as historico
        where historico.dt_ref < (
            select referencias.dt_ref
            from {{ ref('feat_referencias') }} as referencias
            where referencias.papel = 'atual'
        )
    )
{%- endmacro %}


{% macro versoes_publicadas_antes() -%}
    {#- A condition on modelo_id: the versions that labelled that date. -#}
    {%- set partes = [] -%}
    {%- for passo in ['rfv', 'categoria'] -%}
        {%- do partes.append(
            "modelo_id in (select historico.modelo_" ~ passo ~ "_id from "
            ~ ref('cluster_clientes_historico') ~ " as historico where "
            ~ "historico.dt_ref = " ~ dt_ref_publicada_antes() ~ ")"
        ) -%}
    {%- endfor -%}
    {{ return("(" ~ partes | join(" or ") ~ ")") }}
{%- endmacro %}
