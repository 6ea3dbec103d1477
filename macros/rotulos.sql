{#
  Names of category clusters, for ml_nomes_categoria and ml_rotulos_categoria.
#}

{% macro nomes_de_categoria(clusters, n_nomes) -%}
    {#-
      One row per cluster with its `nome`: the nicknames of its first n_nomes
      categories, ordered by the base's spending so that Livros&Food and
      Food&Livros cannot both exist.
    -#}
    {%- set pares = dbt.listagg(
        'perfis.apelido_par', "'&'", 'order by perfis.posicao'
    ) -%}
    select
        {{ clusters }}.k,
        {{ clusters }}.cluster,
        {{ clusters }}.forca,
        {{ clusters }}.clientes,
        {{ clusters }}.n_lideres,
        case
            when {{ n_nomes }} = 0 then 'Misto'
            when {{ clusters }}.n_lideres = 0 then 'Misto&' || {{ pares }}
            when {{ n_nomes }} = 1 then max(perfis.apelido_unico)
            else {{ pares }}
        end as nome
    from {{ clusters }}
    left join perfis
        on
            {{ clusters }}.cluster = perfis.cluster
            and perfis.lugar <= {{ n_nomes }}
    group by 1, 2, 3, 4, 5, {{ n_nomes }}
{%- endmacro %}


{% macro com_numero(nome, repeticao, separador) -%}
    {#- The last resort where even the categories are the same: a number. -#}
    {{ nome }} || case
        when {{ repeticao }} > 1
            then '{{ separador }}' || cast({{ repeticao }} as {{ dbt.type_string() }})
        else ''
    end
{%- endmacro %}
