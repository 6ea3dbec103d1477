{% test sem_linhas_onde(model, condicao, column_name=none) %}
{#- Rows for which a condition that must never hold is true. -#}

select *
from {{ model }}
where {{ condicao }}

{% endtest %}
