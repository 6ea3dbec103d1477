{#
  Reading what sources write. Every macro returns null for what it cannot
  read, never an error: the caller turns null into a refused line.
#}

{% macro le_texto(expressao) -%}
    nullif(trim(cast({{ expressao }} as {{ dbt.type_string() }})), '')
{%- endmacro %}


{% macro le_numero(expressao) -%}
    {{ return(
        adapter.dispatch('le_numero', 'segmentacao_clientes')(expressao)
    ) }}
{%- endmacro %}

{% macro default__le_numero(expressao) -%}
    {%- if var('formato_numero') == 'brasileiro' -%}
        {{ exceptions.raise_compiler_error(
            "formato_numero: brasileiro has no implementation for "
            ~ target.type ~ " yet; write macro " ~ target.type ~ "__le_numero."
        ) }}
    {%- endif -%}
    {{ dbt.safe_cast(expressao, tipo_valor()) }}
{%- endmacro %}

{% macro duckdb__le_numero(expressao) -%}
    {%- if var('formato_numero') == 'brasileiro' -%}
    case
        -- the format speaks of text; a typed number is taken as it is, or
        -- 1234.56 would become 123456
        when typeof({{ expressao }}) <> 'VARCHAR'
            then try_cast({{ expressao }} as {{ tipo_valor() }})
        when {{ _sem_moeda(expressao) }} similar to
            '[-(]?([0-9]{1,3}([.][0-9]{3})+|[0-9]+)(,[0-9]+)?[-)]?'
            then try_cast(
                case
                    when {{ _sem_moeda(expressao) }} similar to '.*[-()].*'
                        then '-' else ''
                end || replace(
                    regexp_replace({{ _sem_moeda(expressao) }}, '[-().]', '', 'g'),
                    ',', '.'
                ) as {{ tipo_valor() }}
            )
    end
    {%- else -%}
    try_cast({{ expressao }} as {{ tipo_valor() }})
    {%- endif -%}
{%- endmacro %}

{% macro _sem_moeda(expressao) -%}
    regexp_replace(
        upper(cast({{ expressao }} as varchar)), '[\s\x{00A0}]|R\$', '', 'g'
    )
{%- endmacro %}


{% macro le_data(expressao) -%}
    {{ return(
        adapter.dispatch('le_data', 'segmentacao_clientes')(expressao)
    ) }}
{%- endmacro %}

{% macro default__le_data(expressao) -%}
    {%- if var('formato_data') or var('fuso_origem') -%}
        {{ exceptions.raise_compiler_error(
            "formato_data and fuso_origem have no implementation for "
            ~ target.type ~ " yet; write macro " ~ target.type ~ "__le_data."
        ) }}
    {%- endif -%}
    {{ dbt.safe_cast(expressao, 'date') }}
{%- endmacro %}

{% macro duckdb__le_data(expressao) -%}
    {%- set formatos = var('formato_data') -%}
    {%- if formatos is string -%}{%- set formatos = [formatos] -%}{%- endif -%}
    {%- set momento -%}
        {%- if formatos -%}
        try_strptime(
            trim(cast({{ expressao }} as varchar)),
            ['{{ formatos | join("', '") }}']
        )
        {%- else -%}
        try_cast({{ expressao }} as timestamp)
        {%- endif -%}
    {%- endset -%}
    cast(case
        -- a moment that names its own offset, typed or written out
        when
            typeof({{ expressao }}) = 'TIMESTAMP WITH TIME ZONE'
            {% if not formatos -%}
            or (
                typeof({{ expressao }}) = 'VARCHAR'
                and regexp_matches(
                    cast({{ expressao }} as varchar),
                    ':[0-9.]+ *(Z|[+-][0-9]{2}(:?[0-9]{2})?)$'
                )
            )
            {%- endif %}
            then timezone('{{ var("fuso") }}', try_cast({{ expressao }} as timestamptz))
        {% if var('fuso_origem') -%}
        -- a date without a time is a day already: shifting it would move it
        when length(cast({{ expressao }} as varchar)) > 10
            then timezone(
                '{{ var("fuso") }}', timezone('{{ var("fuso_origem") }}', {{ momento }})
            )
        {% endif -%}
        else {{ momento }}
    end as date)
{%- endmacro %}


{% macro slug(expressao) -%}
    {#- A name that can be a column: lower case, no accents, at most 40 long. -#}
    {{ return(adapter.dispatch('slug', 'segmentacao_clientes')(expressao)) }}
{%- endmacro %}

{% macro default__slug(expressao) -%}
    {{ _slug_curto(
        "translate(lower(" ~ expressao ~ "), "
        ~ "'áàâãäéèêëíìîïóòôõöúùûüçñ', 'aaaaaeeeeiiiiooooouuuucn')"
    ) }}
{%- endmacro %}

{% macro duckdb__slug(expressao) -%}
    {{ _slug_curto("lower(strip_accents(" ~ expressao ~ "))") }}
{%- endmacro %}

{% macro _slug_curto(texto) -%}
    {#- A text without any letter, or a very long one, is told apart by hash. -#}
    {%- set limpo = "trim(both '_' from regexp_replace(" ~ texto
        ~ ", '[^a-z0-9]+', '_', 'g'))" -%}
    case
        when {{ limpo }} = '' then 'c_' || left(md5({{ texto }}), 8)
        when length({{ limpo }}) > 40
            then left({{ limpo }}, 31) || '_' || left(md5({{ limpo }}), 8)
        else {{ limpo }}
    end
{%- endmacro %}
