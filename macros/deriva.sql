{#
  What monitor_deriva and the baseline it looks back at have in common.
#}

{% macro limites_max() %}{{ return(9) }}{% endmacro %}


{% macro quantil(expressao, parte) -%}
    {{ return(
        adapter.dispatch('quantil', 'segmentacao_clientes')(expressao, parte)
    ) }}
{%- endmacro %}

{% macro default__quantil(expressao, parte) -%}
    percentile_cont({{ parte }}) within group (order by {{ expressao }})
{%- endmacro %}

{% macro duckdb__quantil(expressao, parte) -%}
    quantile_cont({{ expressao }}, {{ parte }})
{%- endmacro %}


{% macro valores_por_variavel(atribuicoes, variaveis_categoria) -%}
    {#-
      A query: one row per customer, step and feature of the version that
      `atribuicoes` scored with, in the feature's own unit.
    -#}
    {#- the refs stand before any condition: parsing must see them -#}
    {%- set clientes, referencias = ref('feat_rfv'), ref('feat_referencias') -%}
    {%- set de_categoria = participacoes(variaveis_categoria) -%}
    {%- for passo, fonte, variaveis in [
        ('rfv', clientes, variaveis_rfv()),
        ('categoria', '(' ~ de_categoria ~ ')', variaveis_categoria),
    ] if variaveis %}
    select
        atribuicoes.passo,
        atribuicoes.modelo_id,
        atribuicoes.cluster,
        variaveis.variavel,
        case variaveis.variavel
            {% for variavel in variaveis -%}
            when '{{ variavel }}'
                then cast(fonte.{{ adapter.quote(variavel) }} as {{ tipo_real() }})
            {% endfor -%}
        end as valor
    from {{ atribuicoes }} as atribuicoes
    inner join {{ fonte }} as fonte
        on
            atribuicoes.dt_ref = fonte.dt_ref
            and atribuicoes.id_cliente = fonte.id_cliente
    inner join {{ referencias }} as referencias
        on
            atribuicoes.dt_ref = referencias.dt_ref
            and referencias.papel = 'atual'
    cross join (
        {% for variavel in variaveis -%}
        select '{{ variavel }}' as variavel
        {% if not loop.last %}union all{% endif %}
        {% endfor -%}
    ) as variaveis
    where atribuicoes.passo = '{{ passo }}'
    {%- if passo == 'rfv' and variaveis_categoria %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}


{% macro conta_faixas(valores, limites) -%}
    {#-
      A query: customers per step, feature and bin. A bin ends with its limit;
      the last one has none.
    -#}
    select
        valores.passo,
        valores.variavel,
        {% for i in range(limites_max()) -%}
        case when valores.valor > limites.limite_{{ i }} then 1 else 0 end
        {%- if not loop.last %} + {% endif %}
        {% endfor %} as faixa,
        count(*) as clientes
    from {{ valores }} as valores
    left join (
        select
            passo,
            variavel,
            {% for i in range(limites_max()) -%}
            max(case when faixa = {{ i }} then limite end) as limite_{{ i }}
            {%- if not loop.last %},{% endif %}
            {% endfor %}
        from {{ limites }}
        group by 1, 2
    ) as limites
        on
            valores.passo = limites.passo
            and valores.variavel = limites.variavel
    group by 1, 2, 3
{%- endmacro %}


{% macro silhueta_simplificada() -%}
    {#-
      Mean of (b - a) / b with the distances to the nearest and the second
      nearest centre: Hruschka's simplified silhouette, which needs no second
      look at the customers.
    -#}
    avg(case
        when distancia + margem > 0 then margem / (distancia + margem) else 0
    end)
{%- endmacro %}


{% macro veredito(valor, observar, retreinar) -%}
    case
        when {{ valor }} >= {{ retreinar }} then 'retreinar'
        when {{ valor }} >= {{ observar }} then 'observar'
        when {{ valor }} is not null then 'estavel'
    end
{%- endmacro %}
