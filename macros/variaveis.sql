{#
  The features of each step, in the order in which the models hold them.
#}

{% macro variaveis_rfv() -%}
    {{ return(['recencia_dias', 'frequencia', 'valor']) }}
{%- endmacro %}


{% macro lista_categorias() -%}
    {#- Share columns that exist in this warehouse, read from the data. -#}
    {#- the ref stands before any condition: parsing must see it -#}
    {%- set categorias = ref('feat_categorias') -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- set relacao = load_relation(categorias) -%}
    {%- if relacao is none -%}{{ return([]) }}{%- endif -%}
    {{ return(run_query(
        'select categoria_id from ' ~ relacao ~ ' order by posicao'
    ).columns[0].values() | list) }}
{%- endmacro %}


{% macro variaveis_categoria() -%}
    {%- set nomes = [] -%}
    {%- for categoria in lista_categorias() -%}
        {%- do nomes.append('pct_' ~ categoria) -%}
    {%- endfor -%}
    {{ return(nomes) }}
{%- endmacro %}


{% macro base_do_valor(bruto, devolvido) -%}
    {#- The value that is clustered: see the var base_valor. -#}
    {%- if var('base_valor') == 'bruto' -%}
        {{ bruto }}
    {%- else -%}
        greatest({{ bruto }} - {{ devolvido }}, 0)
    {%- endif -%}
{%- endmacro %}


{% macro variaveis_do_modelo(passo, modelos, condicao='true', lidas=[]) -%}
    {#-
      Features of the version that `modelos` holds for a step, read from the
      warehouse: a category that has since left the largest ones is still a
      feature of an older version. None while one of the relations that the
      condition reads (`lidas`) is not there, as when docs are generated before
      the first build.
    -#}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- for relacao in [modelos] + lidas if load_relation(relacao) is none -%}
        {{ return([]) }}
    {%- endfor -%}
    {{ return(run_query(
        "select variavel from " ~ modelos ~ " where passo = '" ~ passo ~ "' and "
        ~ condicao ~ " group by variavel order by min(posicao)"
    ).columns[0].values() | list) }}
{%- endmacro %}


{% macro participacoes(variaveis) -%}
    {#-
      A subquery: one row per dt_ref and customer with the share columns that a
      version of the category model reads, whichever categories are the
      largest today. What the version does not know is its `outras`.
    -#}
    {#- the refs stand before any condition: parsing must see them -#}
    {%- set prontas, de_novo = ref('feat_pct_categoria'), ref('feat_cliente_categoria') -%}
    {%- if variaveis | sort == variaveis_categoria() | sort -%}
        select * from {{ prontas }}
    {%- else -%}
        {%- set categorias = [] -%}
        {%- for variavel in variaveis -%}
            {%- do categorias.append(variavel[4:]) -%}
        {%- endfor -%}
        {{ reparte_por_categoria(de_novo, categorias) }}
    {%- endif -%}
{%- endmacro %}


{% macro reparte_por_categoria(cliente_categoria, categorias) -%}
    {#-
      Shares of spending from one row per dt_ref, customer and category. Sums
      stay decimal: sums of doubles change in the last digit with the order of
      the rows, and the models with them. Where there is no known category a
      share is null, not zero: who spent nothing has no taste that we know of.
    -#}
    {%- set proprias = categorias | reject('equalto', 'outras') | list -%}
    select
        dt_ref,
        id_cliente,
        {% for categoria in categorias -%}
        case
            when valor_conhecido > 0
                then {{ adapter.quote('valor_' ~ categoria) }} / valor_total
        end as {{ adapter.quote('pct_' ~ categoria) }},
        {% endfor -%}
        valor_conhecido > 0 as is_com_categoria
    from (
        select
            dt_ref,
            id_cliente,
            {% for categoria in categorias -%}
            sum(case
                when {% if categoria == 'outras' -%}
                    not ({{ texto_na_lista('categoria_id', proprias) }})
                {%- else -%}
                    categoria_id = '{{ categoria }}'
                {%- endif %} then valor
                else 0
            end) as {{ adapter.quote('valor_' ~ categoria) }},
            {% endfor -%}
            cast(sum(valor) as {{ tipo_real() }}) as valor_total,
            sum(case when categoria_id <> 'sem_categoria' then valor else 0 end)
                as valor_conhecido
        from {{ cliente_categoria }}
        group by 1, 2
    ) as somadas
{%- endmacro %}
