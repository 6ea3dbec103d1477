-- A seed of names without one part lost its cluster in a join, and the registry
-- kept a version with a hole in it, which scored everybody the day after. A fit
-- is recorded only when each of its k clusters has a name.

select
    passo,
    max(k) as k,
    count(*) as nomes
from {{ ref('ml_rotulos') }}
group by 1
having count(*) <> max(k)
