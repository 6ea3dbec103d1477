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


{% macro colunas_de_participacao(relacao) -%}
    {#- Without categories the step reads an empty population and says so. -#}
    {%- set colunas = [] -%}
    {%- for variavel in variaveis_categoria() -%}
        {%- do colunas.append(relacao ~ '.' ~ adapter.quote(variavel)) -%}
    {%- else -%}
        {%- do colunas.append('cast(null as ' ~ tipo_real() ~ ') as sem_categorias') -%}
    {%- endfor -%}
    {{ return(colunas | join(', ')) }}
{%- endmacro %}


{% macro base_sem_piso(bruto, devolvido) -%}
    {#- Before it is cut off at zero: see the var base_valor. -#}
    {%- if var('base_valor') == 'bruto' -%}
        {{ bruto }}
    {%- else -%}
        {{ bruto }} - {{ devolvido }}
    {%- endif -%}
{%- endmacro %}


{% macro base_do_valor(bruto, devolvido) -%}
    {#- The value that is clustered: see the var base_valor. -#}
    greatest({{ base_sem_piso(bruto, devolvido) }}, 0)
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
        {{ reparte_por_categoria(
            '(' ~ soma_por_categoria(de_novo, categorias) ~ ')', categorias
        ) }}
    {%- endif -%}
{%- endmacro %}


{% macro soma_por_categoria(cliente_categoria, categorias) -%}
    {#- From one row per category to one column, as feat_cliente_periodo has. -#}
    select
        dt_ref,
        id_cliente,
        {% for categoria in categorias + ['sem_categoria'] if categoria != 'outras' -%}
        sum(case when categoria_id = '{{ categoria }}' then valor else 0 end)
            as {{ adapter.quote('valor_' ~ categoria) }},
        {% endfor -%}
        sum(valor) as valor_total
    from {{ cliente_categoria }}
    group by 1, 2
{%- endmacro %}


{% macro reparte_por_categoria(somas, categorias) -%}
    {#-
      Shares of spending, one column for each of `categorias`, from a relation
      with the net value of each as `valor_<categoria>`, `valor_sem_categoria`
      and `valor_total`. What has no column of its own is `outras`, or left out
      where there is none. A net below zero counts as zero. Values stay decimal up to the division: sums of
      doubles change in the last digit with the order of the rows, and the
      models with them.
    -#}
    {%- set partes = {} -%}
    {%- for categoria in categorias if categoria != 'outras' -%}
        {%- do partes.update({categoria: adapter.quote('valor_' ~ categoria)}) -%}
    {%- endfor -%}
    {%- set resto = (['valor_total'] + partes.values() | list) | join(' - ') -%}
    {%- set conhecidas = partes.values() | list -%}
    {%- if 'outras' in categorias -%}
        {%- do conhecidas.append(resto ~ ' - valor_sem_categoria') -%}
        {%- do partes.update({'outras': resto}) -%}
    {%- endif -%}
    select
        dt_ref,
        id_cliente,
        {% for categoria, valor in partes.items() -%}
        -- null, not zero: who spent nothing has no taste that we know of
        case
            when is_com_categoria then greatest({{ valor }}, 0) / valor_das_partes
        end as {{ adapter.quote('pct_' ~ categoria) }},
        {% endfor -%}
        is_com_categoria
    from (
        select
            *,
            cast(
                {%- for valor in partes.values() %} greatest({{ valor }}, 0) +{% endfor %} 0
                as {{ tipo_real() }}
            ) as valor_das_partes,
            {% for valor in conhecidas -%}
            {{ valor }} > 0{% if not loop.last %} or {% endif %}
            {%- else %}false
            {%- endfor %} as is_com_categoria
        from {{ somas }} as somas
    ) as somadas
{%- endmacro %}
