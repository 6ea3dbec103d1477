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


{% macro reparte_por_categoria(somas, categorias) -%}
    {#-
      Shares of spending, one column for each of `categorias`, from a relation
      with the net value of each as `valor_<categoria>`, `valor_sem_categoria`
      and `valor_total`. What has no column of its own is `outras`. A net below
      zero counts as zero. Values stay decimal up to the division: sums of
      doubles change in the last digit with the order of the rows, and the
      models with them.
    -#}
    {%- set partes = {} -%}
    {%- for categoria in categorias if categoria != 'outras' -%}
        {%- do partes.update({categoria: adapter.quote('valor_' ~ categoria)}) -%}
    {%- endfor -%}
    {%- set resto = (['valor_total'] + partes.values() | list) | join(' - ') -%}
    {%- set conhecidas = partes.values() | list + [resto ~ ' - valor_sem_categoria'] -%}
    {%- if 'outras' in categorias -%}{%- do partes.update({'outras': resto}) -%}{%- endif -%}
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
            {%- endfor %} as is_com_categoria
        from {{ somas }}
    ) as somadas
{%- endmacro %}
