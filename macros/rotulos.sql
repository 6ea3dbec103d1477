{#
  Names of clusters, and of customers by their clusters.
#}

{% macro rotula_clientes(clientes, atribuicoes, nomes) -%}
    {#-
      A query: one row per row of `clientes` with the names that one version of
      each step gives it. Lanes that take no part in the clustering are named
      by rule. segmento_id joins the identities of the parts, and is the code of
      the lane where there is none.
    -#}
    select
        {{ clientes }}.*,
        coalesce(rfv.rotulo, faixas.nome)
        || coalesce(':' || categoria.rotulo, '') as cluster,
        coalesce(rfv.rotulo, faixas.nome) as cluster_rfv,
        categoria.rotulo as cluster_categoria,
        coalesce(rfv.identidade, faixas.segmento_id)
        || coalesce(':' || categoria.identidade, '') as segmento_id,
        coalesce(rfv.segmento_id, faixas.segmento_id) as segmento_rfv_id,
        categoria.segmento_id as segmento_categoria_id,
        rfv.distancia,
        rfv.margem,
        rfv.modelo_id as modelo_rfv_id,
        categoria.modelo_id as modelo_categoria_id
    from {{ clientes }}
    {% for passo in ['rfv', 'categoria'] -%}
    left join (
        select
            atribuicoes.*,
            nomes.rotulo,
            nomes.segmento_id,
            nomes.identidade
        from {{ atribuicoes }} as atribuicoes
        inner join {{ nomes }} as nomes
            on
                atribuicoes.modelo_id = nomes.modelo_id
                and atribuicoes.cluster = nomes.cluster
        where atribuicoes.passo = '{{ passo }}'
    ) as {{ passo }}
        on
            {{ clientes }}.dt_ref = {{ passo }}.dt_ref
            and {{ clientes }}.id_cliente = {{ passo }}.id_cliente
    {% endfor -%}
    left join {{ origem('rotulos_rfv') }} as faixas
        on {{ clientes }}.faixa = faixas.papel
{%- endmacro %}


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
