{% test unico_por(model, colunas) %}
{#- Rows that share their values in all of `colunas`. -#}

select
    {{ colunas | join(', ') }},
    count(*) as linhas
from {{ model }}
group by {{ colunas | join(', ') }}
having count(*) > 1

{% endtest %}
