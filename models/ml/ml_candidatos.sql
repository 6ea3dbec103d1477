{{ config(materialized='view') }}

select * from {{ ref('ml_rfv_kmeans') }}
union all
select * from {{ ref('ml_categoria_kmeans') }}
