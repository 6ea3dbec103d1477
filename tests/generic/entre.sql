{% test entre(model, column_name, minimo=none, maximo=none) %}
{#- Values outside [minimo, maximo]; null passes, not_null is its own test. -#}

select {{ column_name }}
from {{ model }}
where
    false
    {% if minimo is not none %}or {{ column_name }} < {{ minimo }}{% endif %}
    {% if maximo is not none %}or {{ column_name }} > {{ maximo }}{% endif %}

{% endtest %}
