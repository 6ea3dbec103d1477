-- A fixed k above what the data allow chose nothing, and the labels of the
-- step vanished without a word. Every step that has candidates has one k.

select
    passo,
    sum(case when is_escolhido then 1 else 0 end) as escolhidos
from {{ ref('ml_escolha_k') }}
group by 1
having sum(case when is_escolhido then 1 else 0 end) <> 1
