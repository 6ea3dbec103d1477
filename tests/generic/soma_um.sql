{% test soma_um(model) %}
{#- Rows whose share columns (pct_...) neither sum to 1 nor are all null. -#}

{%- set parcelas = [] -%}
{%- if execute -%}
    {%- for coluna in adapter.get_columns_in_relation(model)
        if coluna.name.startswith('pct_') -%}
        {%- do parcelas.append(adapter.quote(coluna.name)) -%}
    {%- endfor -%}
{%- endif -%}

select *
from {{ model }}
where
    {% if parcelas -%}
    (is_com_categoria and abs({{ parcelas | join(' + ') }} - 1) > 1e-9)
    or (is_com_categoria and ({{ parcelas | join(' + ') }}) is null)
    or (not is_com_categoria and coalesce({{ parcelas | join(', ') }}) is not null)
    or least({{ parcelas | join(', ') }}) < 0
    {%- else -%}
    false
    {%- endif %}

{% endtest %}
