{#
  Nearest centre in plain SQL. The centres of a step become one row (one
  column per cluster and feature), so that no customer row is multiplied, and
  every distance is a sum written out term by term, which any engine can run.
#}

{% macro maximo_de_clusters() -%}{{ return(10) }}{%- endmacro %}


{% macro atribui_cluster(passo, features, variaveis) -%}
    {#-
      A subquery: one row per dt_ref and customer of `features` with its
      nearest cluster, the distance to it (Euclidean, in the space the model
      was fitted in) and the margin to the second nearest.

      Example: select * from ( atribui_cluster('rfv', 'clientes',
      ['recencia_dias', 'frequencia', 'valor']) )
    -#}
    {%- set clusters = range(maximo_de_clusters()) | list -%}
    with

    centros as ({{ _centros_em_linha(passo, variaveis) }}),

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


{% macro _centros_em_linha(passo, variaveis) -%}
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
    from {{ ref('ml_modelo_em_vigor') }}
    where passo = '{{ passo }}'
    having count(*) > 0
{%- endmacro %}
