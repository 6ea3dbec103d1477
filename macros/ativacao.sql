{#
  Audiences of ativacao_clientes, and the only trace of a person in it: the
  hash of an e-mail address, as CRM and advertising systems take it.
#}

{% macro publicos(relacao) -%}
    {#- A query: one row per customer and audience that it belongs to. -#}
    {%- for publico in ['rfv', 'categoria'] -%}
    select
        dt_ref,
        id_cliente,
        '{{ publico }}' as publico,
        segmento_{{ publico }}_id as segmento
    from {{ relacao }}
    where segmento_{{ publico }}_id is not null
    {% if not loop.last -%}
    union all
    {% endif -%}
    {%- endfor -%}
{%- endmacro %}


{% macro email_do_cliente() -%}
    {%- if var('contatos') -%}
        contatos.email_sha256
    {%- else -%}
        cast(null as {{ dbt.type_string() }})
    {%- endif -%}
{%- endmacro %}


{% macro junta_contatos(clientes) -%}
    {%- if var('contatos') -%}
    left join (
        select
            {{ le_texto('lista.id_cliente') }} as id_cliente,
            min({{ sha256('lower(' ~ le_texto('lista.email') ~ ')') }})
                as email_sha256
        from {{ origem('contatos') }} as lista
        group by 1
    ) as contatos
        on {{ clientes }}.id_cliente = contatos.id_cliente
    {%- endif -%}
{%- endmacro %}


{% macro sha256(expressao) -%}
    {{ return(adapter.dispatch('sha256', 'segmentacao_clientes')(expressao)) }}
{%- endmacro %}

{% macro default__sha256(expressao) %}sha2({{ expressao }}, 256){% endmacro %}

{% macro duckdb__sha256(expressao) %}sha256({{ expressao }}){% endmacro %}

{% macro postgres__sha256(expressao) -%}
    encode(sha256(convert_to({{ expressao }}, 'UTF8')), 'hex')
{%- endmacro %}
