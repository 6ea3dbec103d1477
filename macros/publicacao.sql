{#
  Marts go where people read them: Parquet, a database. How, is in
  src/segmentacao/dbt_plugin.py, which profiles.yml names.
#}

{% macro publica(mart) -%}
    {#-
      A model that publishes a mart. It waits for every mart of the var
      marts_publicados, so that what is published together belongs together:
      one red test anywhere among them, and all of them stay as they were.

      Example: {{ publica('cluster_clientes') }}
    -#}
    {{- config(
        materialized='publicado',
        meta={'mart': mart},
        enabled=mart in marts_a_publicar() and _publica_daqui()
    ) -}}
    {%- for publicado in marts_a_publicar() -%}
        {%- do ref(publicado) -%}
    {%- endfor -%}
    select * from {{ ref(mart) }}
{%- endmacro %}


{% macro marts_a_publicar() -%}
    {#- Those of the var marts_publicados that this project builds. -#}
    {%- set marts = [] -%}
    {%- for mart in var('marts_publicados')
        if var('insiders_ativo') or not mart.startswith('insiders_') -%}
        {%- do marts.append(mart) -%}
    {%- endfor -%}
    {{ return(marts) }}
{%- endmacro %}


{% macro _publica_daqui() -%}
    {#- True when the profile names the plugin. -#}
    {{ return(
        target.type == 'duckdb'
        and 'publicado' in target.plugins | default([], true) | map(attribute='alias')
    ) }}
{%- endmacro %}


{% materialization publicado, adapter='duckdb' %}
    {#-
      A view, and what it shows published under its name without `pub_`. A mart
      that neither this run nor an earlier one has built waits for its first build:
      scoring leaves out the Insiders, which a back-fill has never made.
    -#}
    {%- set mart = config.get('meta')['mart'] -%}
    {%- if load_cached_relation(ref(mart)) is none -%}
        {%- do log(mart ~ ' is not published: it has not been built yet', info=true) -%}
        {%- call noop_statement('main', 'NOT BUILT YET') -%}{%- endcall -%}
        {{ return({'relations': []}) }}
    {%- endif -%}

    {%- set existente = load_cached_relation(this) -%}
    {%- set visao = this.incorporate(type='view') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if existente is not none and not existente.is_view -%}
        {{ drop_relation_if_exists(existente) }}
    {%- endif -%}
    {%- call statement('main') -%}
        create or replace view {{ visao }} as ({{ sql }})
    {%- endcall -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(visao, model) -%}
    {{ adapter.commit() }}

    {#- with --empty the marts are empty, and nobody wants that published -#}
    {%- if not flags.EMPTY -%}
        {%- do adapter.store_relation(
            'publicado', visao, [], none, 'parquet', config
        ) -%}
    {%- endif -%}

    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [visao]}) }}
{% endmaterialization %}
