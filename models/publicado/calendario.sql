{{ config(materialized='view') }}

select cast(date_day as date) as dia
from (
    {{ dbt.date_spine(
        'day', "cast('2000-01-01' as date)", "cast('2051-01-01' as date)"
    ) }}
) as dias
