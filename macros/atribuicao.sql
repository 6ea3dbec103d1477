{#
  Nearest centre in plain SQL. The centres of a step become one row (one
  column per cluster and feature), so that no customer row is multiplied, and
  every distance is a sum written out term by term, which any engine can run.
#}

{% macro maximo_de_clusters() -%}{{ return(10) }}{%- endmacro %}


{% macro atribui_clientes(modelos, condicao='true', lidas=[], so_atual=false) -%}
    {#-
      A query: one row per dt_ref, customer and step with the nearest centre of
      the versions that `modelos` holds under `condicao`, at most one a step;
      `lidas` are the relations that the condition reads.

      Example: select * from ( atribui_clientes(ref('ml_modelo_em_vigor')) )
    -#}
    {#- the ref stands before any condition: parsing must see it -#}
    {%- set referencias = ref('feat_referencias') if so_atual -%}
    {%- set variaveis = variaveis_do_modelo(
        'categoria', modelos, condicao, lidas
    ) -%}
    with

    modelos as (

        select * from {{ modelos }}
        where {{ condicao }}

    ),

    clientes as (

        select * from {{ ref('feat_rfv') }}
        where
            {{ texto_na_lista('faixa', var('faixas_no_ajuste')) }}
            {% if so_atual -%}
            and dt_ref in (
                select dt_ref from {{ referencias }} where papel = 'atual'
            )
            {%- endif %}

    ),

    participacoes as ({{ participacoes(variaveis) }}),

    categorias as (

        select participacoes.*
        from participacoes
        inner join clientes
            on
                participacoes.dt_ref = clientes.dt_ref
                and participacoes.id_cliente = clientes.id_cliente
        where participacoes.is_com_categoria

    )

    select * from ({{ atribui_cluster('rfv', 'clientes', variaveis_rfv(), 'modelos') }}) as rfv
    {% if variaveis -%}
    union all
    select * from ({{ atribui_cluster('categoria', 'categorias', variaveis, 'modelos') }})
        as categoria
    {%- endif %}
{%- endmacro %}


{% macro atribui_cluster(passo, features, variaveis, modelos) -%}
    {#-
      A subquery: one row per dt_ref and customer of `features` with its
      nearest cluster, the distance to it (Euclidean, in the space the model
      was fitted in) and the margin to the second nearest. `modelos` holds the
      rows of the one version of the step that scores.

      Example: select * from ( atribui_cluster('rfv', 'clientes',
      ['recencia_dias', 'frequencia', 'valor'], ref('ml_modelo_em_vigor')) )
    -#}
    {%- set clusters = range(maximo_de_clusters()) | list -%}
    with

    centros as ({{ _centros_em_linha(passo, variaveis, modelos) }}),

    pontos as (

        select
            f.dt_ref,
            f.id_cliente,
            {% for variavel in variaveis -%}
            (case c.transformacao_{{ loop.index0 }}
                when 'log1p' then ln(1 + cast(f.{{ adapter.quote(variavel) }} as {{ tipo_real() }}))
                else cast(f.{{ adapter.quote(variavel) }} as {{ tipo_real() }})
            end - c.deslocamento_{{ loop.index0 }}) / c.escala_{{ loop.index0 }}
                as x{{ loop.index0 }},
            {% endfor -%}
            c.*
        from {{ features }} as f
        cross join centros as c

    ),

    quadrados as (

        select
            dt_ref,
            id_cliente,
            modelo_id,
            {% for j in clusters -%}
            {{ _distancia_quadrada(j, variaveis) }} as d{{ j }}
            {%- if not loop.last %},{% endif %}
            {% endfor %}
        from pontos

    ),

    vizinhos as (

        select
            *,
            {{ _menor(clusters) }} as menor
        from quadrados

    ),

    mais_proximos as (

        select
            *,
            case
                {% for j in clusters -%}
                when d{{ j }} = menor then {{ j }}
                {% endfor -%}
            end as cluster
        from vizinhos

    )

    select
        dt_ref,
        id_cliente,
        '{{ passo }}' as passo,
        modelo_id,
        cluster,
        sqrt(menor) as distancia,
        sqrt(least(
            {% for j in clusters -%}
            case when cluster = {{ j }} then {{ _infinito() }} else d{{ j }} end
            {%- if not loop.last %},{% endif %}
            {% endfor -%}
        )) - sqrt(menor) as margem
    from mais_proximos
{%- endmacro %}


{% macro _infinito() -%}
    {#- Distance to a cluster that the model does not have. -#}
    1e300
{%- endmacro %}


{% macro _menor(clusters) -%}
    least({% for j in clusters %}d{{ j }}{% if not loop.last %}, {% endif %}{% endfor %})
{%- endmacro %}


{% macro _distancia_quadrada(j, variaveis) -%}
    coalesce(
        {%- for variavel in variaveis %}
        (x{{ loop.index0 }} - c{{ j }}_{{ loop.index0 }})
        * (x{{ loop.index0 }} - c{{ j }}_{{ loop.index0 }})
        {%- if not loop.last %} + {% endif %}
        {%- endfor %},
        {{ _infinito() }}
    )
{%- endmacro %}


{% macro _centros_em_linha(passo, variaveis, modelos) -%}
    select
        {% for variavel in variaveis -%}
        {%- set i = loop.index0 -%}
        {% for coluna in ['transformacao', 'deslocamento', 'escala'] -%}
        max(case when variavel = '{{ variavel }}' then {{ coluna }} end)
            as {{ coluna }}_{{ i }},
        {% endfor -%}
        {% for j in range(maximo_de_clusters()) -%}
        max(case when variavel = '{{ variavel }}' and cluster = {{ j }} then centro end)
            as c{{ j }}_{{ i }},
        {% endfor -%}
        {% endfor -%}
        max(modelo_id) as modelo_id
    from {{ modelos }}
    where passo = '{{ passo }}'
    having count(*) > 0
{%- endmacro %}
